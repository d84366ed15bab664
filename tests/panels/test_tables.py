"""The tables by channel, of the parts of the time, and of errors."""

from math import isnan

import pandas as pd

from core.figures.rates import Rate
from core.panels import tables
from core.wording.formats import NO_VALUE
from tests.panels.frames import channels, row


def test_the_funnel_has_the_share_of_all_and_of_the_step_before_in_the_offered_order() -> None:
    frame = channels(
        voice={"requested": 10}, sms={"requested": 200, "sent": 100, "delivered": 50, "verified": 5}
    )
    table = tables.funnel_table(frame).set_index("channel")
    assert list(table.index) == ["sms", "voice"]
    assert table.loc["sms", "delivered_share"] == 25
    assert table.loc["sms", "delivered_step"] == 50
    assert isnan(table["delivered_step"]["voice"])


def test_the_funnel_leaves_out_a_channel_without_attempts() -> None:
    table = tables.funnel_table(channels(sms={"requested": 2, "confirmed": 1}, voice={}))
    assert table["channel"].tolist() == ["sms"]
    assert table["without_receipt"].tolist() == [1]


def test_a_rescue_rate_wants_ten_tries() -> None:
    frame = channels(
        sms={"fallbacks": 9, "rescued": 9}, voice={"fallbacks": 50, "rescued": 40, "resends": 7}
    )
    table = tables.rescue_table(frame).set_index("channel")
    assert isnan(table["rate"]["SMS"])
    assert table.loc["Call", "rate"] == 80
    assert table.loc["Call", "low"] == 100 * Rate(40, 50).low
    said = tables.fallback(row(started=100, resends=1, fallbacks=50, rescued=40)).words
    assert "1 code went out again the same way and 50 another way" in said
    assert "80.0 % (" in said
    assert "Too few" in tables.fallback(row(started=100, fallbacks=9, rescued=9)).words


def test_codes_that_several_attempts_can_have_brought_are_named() -> None:
    words = tables.fallback(row(started=100, unattributed=12)).words
    assert words.endswith(
        " 12 right codes are not counted for an attempt, because more than one can have brought "
        "them."
    )
    some = tables.fallback(row(started=100, fallbacks=50, rescued=40, unattributed=12)).words
    assert "At least 40 of these 50 brought" in some
    assert "not counted" not in tables.fallback(row(started=100)).words


def test_the_cost_of_an_attempt_that_may_have_brought_a_code_is_no_waste() -> None:
    frame = channels(sms={"requested": 3, "priced": 3, "cost_micros": 3_000_000,
                          "cost_verified_micros": 1_000_000,
                          "cost_unattributed_micros": 1_000_000})  # fmt: skip
    assert tables.cost_table(frame)["wasted"].tolist() == [1.0]


def test_the_parts_of_the_time_follow_one_another() -> None:
    table = tables.legs_table(row(n_app=2, app_ms=400, n_queue=1, queue_ms=800, n_person=1,
                                  person_ms=9000))  # fmt: skip
    # The carrier's part is not known, which is no time of zero.
    assert table["mean_s"].fillna(-1).tolist() == [0.2, 0.8, -1, 9.0]
    assert table["from_s"].tolist() == [0, 0.2, 1.0, 1.0]


def test_waste_is_what_nobody_entered() -> None:
    frame = channels(sms={"requested": 20, "priced": 10, "cost_micros": 4_000_000,
                          "cost_verified_micros": 3_000_000, "verified": 8})  # fmt: skip
    assert tables.cost_table(frame).iloc[0].to_dict() == {
        "channel": "SMS", "spent": 4.0, "wasted": 1.0, "share": 25.0, "per_verified": 0.5,
        "priced": 50.0, "n_priced": 10, "n": 20,
    }  # fmt: skip


def test_a_code_that_can_still_be_entered_is_no_waste() -> None:
    frame = channels(sms={"requested": 2, "priced": 2, "cost_micros": 2_000_000})
    expired = channels(sms={"requested": 1, "priced": 1, "cost_micros": 500_000})
    assert tables.cost_table(frame, expired)["wasted"].tolist() == [0.5]
    assert tables.cost_table(frame, expired.iloc[:0])["wasted"].tolist() == [0]


def test_costs_in_words_never_round_to_nothing_and_show_no_share_of_few() -> None:
    frame = channels(
        sms={"requested": 1, "priced": 1, "cost_micros": 30, "verified": 1},
        voice={"requested": 200, "priced": 100, "cost_micros": 4_000_000, "verified": 80},
        phlo={"requested": 3},
    )
    text = tables.cost_words(tables.cost_table(frame)).to_string(delimiter=";")
    words = [line.split(";")[1:7] for line in text.splitlines()[1:]]
    assert words == [
        ["SMS", "<$0.0001", "<$0.0001", NO_VALUE, "<$0.0001", "1 of 1"],
        ["Call", "$4.00", "$4.00", "100 %", "$0.0500", "50.0 %"],
        ["PHLO", NO_VALUE, NO_VALUE, NO_VALUE, NO_VALUE, "0 of 3"],
    ]


def test_errors_say_what_they_mean_and_what_to_do() -> None:
    frame = pd.DataFrame(
        {"count": [4, 2], "previous": [1, 0]},
        index=pd.MultiIndex.from_tuples([("sms", "30"), ("voice", "3010")],
                                        names=["channel", "code"]),
    )  # fmt: skip
    table = tables.error_table(frame)
    assert table["name"].tolist() == ["Refused as spam", "Busy Line"]
    assert table["label"].tolist() == ["SMS\N{NO-BREAK SPACE}30", "Call\N{NO-BREAK SPACE}3010"]
    assert table["meaning"].tolist() == ["The carrier refused it as spam.", "The line was busy."]
    # Advice for the operator, not for the person who waits for a code.
    assert "Register the sender" in table["advice"][0]
    assert "Nothing is wrong here" in table["advice"][1]


def test_the_funnel_explains_what_was_verified_without_a_receipt_where_it_widens() -> None:
    frame = channels(
        sms={"requested": 50, "delivered": 40, "verified": 30, "confirmed": 40},
        voice={"requested": 20, "delivered": 5, "verified": 15, "confirmed": 17},
    )
    words = tables.widening_words(tables.funnel_table(frame))
    assert words.startswith("Verified without a receipt: 12 of 15 (Call). The codes arrived")
    assert tables.widening_words(tables.funnel_table(frame.head(1))) == ""


def test_what_the_list_of_errors_leaves_out_is_its_last_row() -> None:
    index = pd.MultiIndex.from_tuples(
        [("sms", str(n)) for n in range(12)], names=["channel", "code"]
    )
    frame = pd.DataFrame({"count": range(12, 0, -1), "previous": [1] * 12}, index=index)
    table = tables.error_table(frame)
    top = tables.top_errors(table, 8)
    assert (len(top), top["count"].sum(), top["previous"].sum()) == (8, table["count"].sum(), 12)
    assert (top["name"].iloc[-1], top["label"].iloc[-1]) == ("All others", "5 codes")
    assert tables.top_errors(table, 12) is table


def test_no_error_is_claimed_only_where_all_reports_are_there() -> None:
    assert tables.no_errors(row(requested=3, delivered=3)).startswith("No attempt of this range")
    assert "2 attempts of 3 have no final report" in tables.no_errors(row(requested=3, pending=2))
