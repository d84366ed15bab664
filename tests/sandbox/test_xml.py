"""Plivo XML: supported and refused documents."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plivo import plivoxml

from core.sandbox.calls.xml import Hangup, Listen, NotPlayed, Redirect, Speak, Wait, parse
from core.sandbox.errors import InvalidXml


def test_steps_are_read_in_their_order() -> None:
    steps = parse(
        b'<Response><!-- a note --><Speak loop="2">One &amp; two</Speak><Wait length="3"/>'
        b'<Hangup schedule="60"/><Redirect method="get"> http://x.example/y </Redirect>'
        b"<Hangup/></Response>"
    )
    assert steps == (
        Speak("One & two", 2),
        Wait(3),
        Hangup(60),
        Redirect("http://x.example/y", "GET"),
        Hangup(None),
    )


def test_get_digits_has_plivos_defaults() -> None:
    (step,) = parse(b"<Response><GetDigits action='/a'><Speak>Press</Speak></GetDigits></Response>")
    assert step == Listen(
        prompts=(Speak("Press", 1),),
        action="/a",
        method="POST",
        max_keys=99,
        valid_keys="0123456789*#",
        finish_key="#",
        first_key_seconds=5,
        next_key_seconds=2,
        tries=1,
        follow=True,
    )


def test_documents_of_the_sdk_are_parsed() -> None:
    prompt = plivoxml.GetInputElement(
        action="https://x.example/keys", input_type="dtmf", num_digits=1, log="false"
    )
    prompt.add_speak("Press 1")
    speak = plivoxml.SpeakElement("Your code is ", voice="Polly.Joanna")
    speak.add_say_as("4711", interpret_as="digits")
    document = plivoxml.ResponseElement().add(prompt).add(speak).to_string()
    listen, spoken = parse(document.encode())
    assert isinstance(listen, Listen)
    assert (listen.max_keys, listen.action) == (1, "https://x.example/keys")
    assert spoken == Speak("Your code is 4711", 1)


def test_every_element_of_the_sdk_is_played_or_named_as_not_simulated() -> None:
    response = plivoxml.ResponseElement()
    response.add(plivoxml.PreAnswerElement().add(plivoxml.SpeakElement("One moment")))
    response.add(plivoxml.PlayElement("https://x.example/x.mp3"))
    response.add(plivoxml.DTMFElement("1"))
    response.add(plivoxml.MessageElement("hello", src="1", dst="2"))
    response.add(plivoxml.StreamElement("wss://x.example/"))
    for ending in (
        plivoxml.RecordElement(action="https://x.example/"),
        plivoxml.DialElement().add(plivoxml.NumberElement("14155550123")),
        plivoxml.ConferenceElement("room"),
    ):
        response.add(ending)
    assert parse(response.to_string().encode()) == (
        Speak("One moment", 1),
        *(NotPlayed(name, ends_call=False) for name in ("Play", "DTMF", "Message", "Stream")),
        *(NotPlayed(name, ends_call=True) for name in ("Record", "Dial", "Conference")),
    )


def test_an_empty_response_has_no_steps() -> None:
    assert parse(b"<Response/>") == ()


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"no xml",
        b"<Response>",
        b"<Answer/>",
        b"<Response><Sing>x.mp3</Sing></Response>",
        b"<Response><User>sip:x</User></Response>",
        b"<Response><PreAnswer><PreAnswer/></PreAnswer></Response>",
        b"<Response><GetDigits><Dial/></GetDigits></Response>",
        b"<Response><Speak/></Response>",
        b"<Response><Redirect/></Response>",
        b"<Response><Wait length='long'/></Response>",
        b"<Response><Wait length='-1'/></Response>",
        b"<Response><Wait length='nan'/></Response>",
        b"<Response><Speak loop='inf'>x</Speak></Response>",
        b"<Response><GetDigits numDigits='0'/></Response>",
        b"<Response><GetInput inputType='song'/></Response>",
        b"<Response><GetDigits><Hangup/></GetDigits></Response>",
    ],
)
def test_a_document_that_is_no_plivo_xml_is_refused(document: bytes) -> None:
    with pytest.raises(InvalidXml):
        parse(document)


@pytest.mark.parametrize(
    "document",
    [
        b'<!DOCTYPE Response [<!ENTITY a "aaaa">]><Response><Speak>&a;</Speak></Response>',
        b'<!DOCTYPE Response SYSTEM "http://127.0.0.1:9/x.dtd"><Response/>',
        b'<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/hostname">]><Response><Speak>&f;</Speak>'
        b"</Response>",
    ],
)
def test_entities_and_document_types_are_refused(document: bytes) -> None:
    with pytest.raises(InvalidXml):
        parse(document)


@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_or_refused(document: bytes) -> None:
    with suppress(InvalidXml):
        assert parse(document) == ()
