// The code field with its facts and buttons. See code_panel.py for the data.

const URGENT_MS = 60_000;
const FEW_TRIES = 2;
const TICK_MS = 250;
// The lock ends after this even without an answer; no send takes this long.
const LOCK_MS = 20_000;

// The digits of an unfinished code, by verification: the panel may be removed and drawn again.
const unfinished = new Map();

const triesLeft = (count) =>
  count === 1 ? "1 try left" : `${count > 0 ? count : "No"} tries left`;

class CodePanel {
  constructor() {
    this.input = make("input", {
      id: "code",
      type: "text",
      inputMode: "numeric",
      autocomplete: "one-time-code",
      spellcheck: false,
      enterKeyHint: "done",
      "aria-describedby": "notice",
    });
    this.field = make("div", { className: "field" }, this.input);
    this.time = make("span", { role: "timer" });
    this.pips = make("span", { className: "pips", "aria-hidden": "true" });
    this.tries = make("span");
    this.notice = make("p", { id: "notice", className: "notice", role: "status" });
    this.resend = make("button", { type: "button" });
    this.noResend = make("p", { className: "quiet none" }, "No more codes for this verification");
    this.fallback = make("button", { type: "button" });
    this.reason = make("p", { className: "quiet" });
    this.offer = make("div", { className: "offer" }, this.fallback, this.reason);
    this.cancel = make("button", { type: "button", className: "plain" }, "Cancel");
    this.spoken = make("p", { className: "spoken", role: "status" });
    this.root = make(
      "div",
      { className: "root" },
      make(
        "div",
        { className: "panel" },
        make(
          "div",
          {},
          make("label", { htmlFor: "code" }, "Code"),
          this.field,
          make(
            "div",
            { className: "facts quiet" },
            this.time,
            make("span", { className: "tries" }, this.pips, this.tries),
          ),
        ),
        make("div", { className: "actions" }, this.resend, this.noResend, this.cancel, this.offer),
        this.notice,
      ),
      this.spoken,
    );

    this.input.onbeforeinput = (event) => this.inserting(event);
    this.input.oninput = (event) => event.isComposing || this.typed();
    this.input.oncompositionend = () => this.typed();
    this.input.onpaste = (event) => {
      event.preventDefault();
      this.take(event.clipboardData.getData("text"));
    };
    this.input.ondrop = (event) => {
      event.preventDefault();
      this.take(event.dataTransfer.getData("text"));
    };
    this.input.onkeydown = (event) => {
      if (event.key === "Enter") this.submit();
    };
    this.resend.onclick = () => this.press("resend", true);
    this.fallback.onclick = () => this.press("fallback", true);
    this.cancel.onclick = () => this.press("cancel", true);
    this.takeCode = ({ detail }) => {
      if (this.barred()) return;
      this.accept(String(detail?.code ?? ""));
      this.submit({ focus: false }); // focus would open a phone's keyboard
    };
    window.addEventListener("verification-code", this.takeCode);
    this.clock = setInterval(() => this.tick(), TICK_MS);
  }

  update({ data, setTriggerValue }) {
    this.trigger = setTriggerValue;
    // After a change of theme the data are the same object: this is no answer.
    if (data === this.data) return;
    const before = this.data ?? {};
    this.data = data;
    // The fastest message gives the best estimate of the server's clock.
    this.ahead = Math.max(this.ahead ?? -Infinity, data.now_ms - Date.now());
    const answered = data.answers !== before.answers;
    if (answered || this.isLost) this.pressedAt = undefined;
    if (answered) this.complaint = "";
    this.isLost = false;

    const isNew = data.verification !== before.verification;
    if (isNew) this.restart();
    else if (data.checks_left !== before.checks_left && this.submitted === this.input.value) {
      this.startOver();
    }
    this.draw();
    if ((isNew || answered) && this.hasFreeFocus()) this.focus();
  }

  /** Another verification: reset the state. */
  restart() {
    this.pressedAt = undefined;
    this.reportedExpired = false;
    this.accept(unfinished.get(this.data.verification) ?? "");
    this.submitted = "";
  }

  /** The code was wrong: clear the field for the next try. */
  startOver() {
    this.accept("");
    this.submitted = "";
    this.refocus = true;
    this.field.classList.remove("shake");
    void this.field.offsetWidth; // the animation starts again only after a layout without it
    this.field.classList.add("shake");
  }

  now = () => Date.now() + this.ahead;
  expired = () => this.now() >= this.data.expires_ms;
  pressed = () => this.now() - (this.pressedAt ?? -Infinity) < LOCK_MS;
  /** What is pressed while the connection is lost does not arrive. */
  isDisconnected = () =>
    document.querySelector(".stApp").dataset.testConnectionState !== "CONNECTED";
  barred = () => this.expired() || this.pressed();

  /** Text that a keyboard inserts at once (clipboard, suggestion) is handled like a paste; of single
   * characters, only digits are accepted, while there is room. */
  inserting(event) {
    const text = event.data;
    if (!text || event.inputType === "insertCompositionText") return;
    const { value, selectionStart, selectionEnd } = this.input;
    const room = this.data.digits - value.length + (selectionEnd - selectionStart);
    const digits = enteredDigits(text);
    if (digits !== null && digits.length <= room) return;
    event.preventDefault();
    if ([...text].length > 1) this.take(text);
  }

  /** The browser changed the field: by a key, an input method, or autofill. */
  typed() {
    const digits = enteredDigits(this.input.value);
    if (digits === null || digits.length > this.data.digits) {
      this.take(this.input.value);
      return;
    }
    this.accept(digits);
    this.submitOnce();
  }

  /** Fill in the code of a pasted text. If it has none, or several, the field stays as it is. */
  take(text) {
    if (this.barred()) return;
    const { digits, brand } = this.data;
    const codes = codesIn(text, digits, brand);
    if (codes.length === 1) {
      this.accept(codes[0].code);
      this.submitOnce();
      return;
    }
    this.accept(this.accepted);
    this.complaint = codes.length
      ? `That text has ${codes.length} numbers of ${digits} digits, so nothing was filled in. Type the code.`
      : `That text has no code of ${digits} digits, so nothing was filled in.`;
    this.draw();
  }

  /** Set the digits of the field, and remove the notice about the previous ones. */
  accept(digits) {
    if (this.input.value !== digits) this.input.value = digits;
    this.accepted = digits;
    this.complaint = "";
    if (!this.data) return;
    unfinished.set(this.data.verification, digits.length < this.data.digits ? digits : "");
    this.drawNotice();
  }

  /** At the last digit, once for each value. Enter, or a tap on the handset, submits it again. */
  submitOnce() {
    if (this.input.value !== this.submitted) this.submit();
  }

  submit({ focus = true } = {}) {
    if (this.barred() || this.input.value.length !== this.data.digits) return;
    this.submitted = this.input.value;
    this.press("entered", this.submitted, focus);
  }

  press(event, value, focus = event !== "cancel") {
    if (this.pressed()) return;
    this.pressedAt = this.now();
    this.trigger(event, { verification: this.data.verification, value });
    this.draw();
    // The pressed button becomes disabled, and would lose the focus.
    if (focus) this.focus();
  }

  /** Whether the focus is on the page or on a container of this panel, not on another control. */
  hasFreeFocus() {
    const { host } = this.root.getRootNode();
    const active = document.activeElement;
    return active !== host && active.contains(host);
  }

  markWrong(wrong) {
    this.input.setAttribute("aria-invalid", String(wrong));
    this.field.classList.toggle("wrong", wrong);
  }

  focus() {
    this.input.focus({ preventScroll: true });
  }

  /** Scroll to the field: a code from the handset, which may be far below, was answered. */
  reveal() {
    this.field.scrollIntoView({ block: "nearest" });
  }

  draw() {
    const { data } = this;
    this.root.style.setProperty("--digits", data.digits);
    this.input.pattern = `[0-9]{${data.digits}}`;
    this.drawNotice();
    write(this.tries, triesLeft(data.checks_left));
    this.tries.parentElement.classList.toggle("matters", data.checks_left <= FEW_TRIES);
    this.pips.replaceChildren(
      ...Array.from({ length: Math.min(data.checks_allowed, 10) }, (_, n) =>
        make("i", { className: n < data.checks_left ? "left" : "" }),
      ),
    );
    this.resend.hidden = data.resend_ms === null;
    this.noResend.hidden = data.resend_ms !== null;
    write(this.fallback, data.fallback_label);
    write(this.reason, data.fallback_reason);
    for (const name of ["resend", "fallback"]) {
      const isNext = data.next_button === name;
      this[name].classList.toggle("primary", isNext);
      if (isNext) this[name].dataset.next = "";
      else delete this[name].dataset.next;
    }
    this.tick();
    if (this.refocus && !this.input.disabled) {
      this.refocus = false;
      this.focus();
      this.reveal();
    }
  }

  drawNotice() {
    const { notice, notice_kind: kind } = this.data;
    const stillThere = this.input.value === this.submitted;
    this.markWrong(kind === "wrong" && stillThere && !this.pressed() && !this.complaint);
    this.notice.className = `notice ${this.complaint ? "warning" : kind}`;
    write(this.notice, this.complaint || notice);
  }

  /** Update everything that depends on the time. */
  tick() {
    if (!this.data) return;
    const { data } = this;
    const now = this.now();
    const left = data.expires_ms - now;
    const over = left <= 0;
    const barred = this.barred();
    this.isLost ||= this.pressed() && this.isDisconnected();

    this.root.classList.toggle("pressed", this.pressed());
    this.input.disabled = over;
    // Not `disabled` while waiting for an answer: the field would lose the focus.
    this.input.readOnly = this.pressed();
    this.cancel.disabled = this.pressed();
    write(this.time, over ? "Expired" : `Expires in ${minutes(left)}`);
    this.time.classList.toggle("matters", left < URGENT_MS);

    const wait = (data.resend_ms ?? 0) - now;
    write(this.resend, wait > 0 ? `${data.resend_label} in ${minutes(wait)}` : data.resend_label);
    this.resend.disabled = barred || wait > 0;

    const offered = data.fallback_ms !== null && now >= data.fallback_ms;
    this.offer.classList.toggle("offered", offered);
    this.fallback.disabled = barred || !offered;

    this.announce(left, offered);
    if (over && !this.reportedExpired) {
      this.reportedExpired = true;
      this.trigger("expired", true);
    }
  }

  /** Announce changes by time to screen readers; a timer that speaks every second would be noise. */
  announce(left, offered) {
    if (left <= 0) write(this.spoken, "The code has expired.");
    else if (left < URGENT_MS) write(this.spoken, "The code expires in less than a minute.");
    else {
      const { fallback_label: label, fallback_reason: reason } = this.data;
      write(this.spoken, offered ? `${reason} ${label}: possible now.` : "");
    }
  }

  close() {
    clearInterval(this.clock);
    window.removeEventListener("verification-code", this.takeCode);
  }
}

export default (component) => mount(CodePanel, component);
