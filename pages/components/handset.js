// The drawing of the simulated handset. See handset.py for the data, sandbox_phone.js for the state.

const KEYS = "123456789*0#";
/** By kind of a line in the transcript that is not spoken. Plivo ignores keys while it asks for none. */
const WORDS = {
  key: (key) => `You pressed ${key}`,
  "ignored-key": (key) => `${key} was not heard: the caller asks for no key now`,
  problem: (sentence) => sentence,
};
const HANDLE =
  "M7 3.5h2.6l1.6 4.2-2 1.6a12 12 0 0 0 5.5 5.5l1.6-2 4.2 1.6V17a2.6 2.6 0 0 1-2.8 2.6A15.6 15.6 0 0 1 " +
  "4.4 6.3 2.6 2.6 0 0 1 7 3.5z";

const timeOfDay = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const dayOfYear = new Intl.DateTimeFormat(undefined, {
  weekday: "long",
  day: "numeric",
  month: "long",
});
const exactTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

function handle() {
  const space = "http://www.w3.org/2000/svg";
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", HANDLE);
  const icon = document.createElementNS(space, "svg");
  icon.setAttribute("viewBox", "0 0 24 24");
  icon.setAttribute("aria-hidden", "true");
  icon.append(path);
  return icon;
}

/** Set the children to those of `items`; existing ones are kept, so that nothing flickers. */
function fillWith(parent, items, keyOf, draw) {
  const existing = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const elements = items.map((item) => {
    const key = keyOf(item);
    const element = existing.get(key) ?? draw(item);
    element.dataset.key = key;
    return element;
  });
  const same =
    elements.length === parent.children.length &&
    elements.every((element, n) => element === parent.children[n]);
  if (!same) parent.replaceChildren(...elements);
  return !same;
}

/** A code in groups of three or four: `475 201`. */
function inGroups(code) {
  const size = code.length % 3 === 0 ? 3 : 4;
  return code.match(new RegExp(`.{1,${size}}`, "g")).join(" ");
}

class Handset {
  constructor() {
    this.bar = make("span", {});
    this.lockTime = make("span", { className: "lock-time" });
    this.lockDay = make("span", { className: "lock-day" });
    this.empty = make("p", { className: "empty" });
    this.lock = make("div", { className: "lock" }, this.lockTime, this.lockDay, this.empty);
    this.earlier = make("div", { className: "items earlier" });
    this.earlierHint = make("p", { className: "quiet hint" });
    this.items = make("div", { className: "items", role: "log", "aria-label": "Arrived" });
    this.home = make(
      "div",
      { className: "screen home", tabIndex: 0, role: "region", "aria-label": "Messages and calls" },
      this.earlier,
      make("div", { className: "current" }, this.earlierHint, this.lock, this.items),
    );

    this.caller = make("p", { className: "caller" });
    this.autoAnswer = make("p", { className: "quiet" });
    this.answer = this.button("Answer", "round take", "answer", handle());
    this.decline = this.button("Decline", "round end", "decline", handle());
    this.ringing = make(
      "div",
      { className: "screen ringing", tabIndex: -1, role: "group", "aria-label": "Incoming call" },
      make("p", { className: "quiet" }, "Incoming call"),
      this.caller,
      make("div", { className: "avatar", "aria-hidden": "true" }, handle()),
      this.autoAnswer,
      make("div", { className: "choices" }, this.decline, this.answer),
    );

    this.party = make("p", { className: "party" });
    this.duration = make("p", { className: "quiet", role: "timer" });
    this.transcript = make("div", {
      className: "transcript",
      role: "log",
      tabIndex: 0,
      "aria-label": "Transcript",
    });
    this.keyHint = make("p", { className: "quiet key-hint" });
    this.keypad = make("div", { className: "keypad", role: "group", "aria-label": "Keypad" });
    for (const key of KEYS) this.keypad.append(this.key(key));
    this.hangUp = this.button("Hang up", "wide end", "hangup", handle());
    this.talking = make(
      "div",
      { className: "screen talking", tabIndex: -1, role: "group", "aria-label": "Call" },
      make("div", { className: "who" }, this.party, this.duration),
      this.transcript,
      this.keyHint,
      this.keypad,
      this.hangUp,
    );

    this.offer = make("button", { type: "button", className: "use" });
    this.fault = make("p", { className: "fault", role: "status", hidden: true });
    this.spoken = make("p", { className: "spoken", role: "status" });
    this.body = make(
      "div",
      { className: "body" },
      make(
        "div",
        { className: "bar", "aria-hidden": "true" },
        this.bar,
        make("i", { className: "battery" }),
      ),
      make("div", { className: "screens" }, this.home, this.ringing, this.talking, this.fault),
      make("div", { className: "dock" }, this.offer),
      make("div", { className: "home-bar", "aria-hidden": "true" }),
    );
    this.bannerButton = make("button", { type: "button" });
    this.banner = make("div", { className: "banner", popover: "manual" }, this.bannerButton);
    this.root = make("section", { className: "root" }, this.body, this.banner, this.spoken);

    this.offer.dataset.next = "phone";
    this.answer.dataset.next = "phone";
    this.offer.onclick = () => this.useCode();
    this.bannerButton.onclick = () => this.useBanner();
    this.clock = setInterval(() => this.tick(), 500);
  }

  button(label, className, action, icon) {
    const button = make("button", { type: "button", className }, icon, make("span", {}, label));
    button.onclick = () => this.actOnce(action);
    return button;
  }

  useCode() {
    const { code } = this.offer.dataset;
    this.used = code;
    window.dispatchEvent(new CustomEvent("verification-code", { detail: { code } }));
    this.draw();
  }

  /** The banner's action is that of the button on the phone, which may be out of sight. */
  useBanner() {
    if (this.screen !== this.ringing) {
      this.useCode();
      return;
    }
    this.actOnce("answer");
    this.body.scrollIntoView({ block: "nearest" });
  }

  key(key) {
    const button = make("button", { type: "button", "aria-label": `Key ${key}` }, key);
    button.onclick = () => this.phone?.act(`press/${encodeURIComponent(key)}`);
    return button;
  }

  update({ data }) {
    if (data === this.data) return;
    const before = this.data ?? {};
    this.data = data;
    this.root.setAttribute("aria-label", data.label ? `Phone ${data.label}` : "Phone");
    if (data.phone !== before.phone || data.sandbox !== before.sandbox) this.connect();
    this.draw();
  }

  connect() {
    this.phone?.close();
    const { sandbox, phone } = this.data;
    this.phone = sandbox && phone ? new SandboxPhone(phone, () => this.draw()) : undefined;
  }

  /** A double click acts once. The button is not disabled meanwhile: it would lose the focus. */
  async actOnce(action) {
    if (this.acting) return;
    this.acting = true;
    await this.phone?.act(action);
    this.acting = false;
  }

  isCurrent = (at) => this.data.since_ms === null || at >= this.data.since_ms;

  /** The newest code of this verification, while there is a field for it. */
  code() {
    const { references, length, brand } = this.data;
    return this.phone?.code(references, length, brand);
  }

  // --- drawing

  draw() {
    const call = this.phone?.call();
    const screen =
      call?.status === "ringing" ? this.ringing : call ? this.talking : this.home;
    this.drawHome();
    if (call) this.drawCall(call);
    this.switchTo(screen);

    // A ringing phone shows no message.
    const code = screen === this.ringing ? undefined : this.code();
    this.offer.hidden = !code;
    this.offer.dataset.code = code ?? "";
    write(this.offer, code ? `Use ${code}` : "");
    this.drawBanner(code);
    write(this.fault, "The sandbox does not answer. Trying again every second.");
    this.fault.hidden = !this.phone?.failed;
    // For screen readers. New items and the transcript are announced on their own: both are logs.
    write(this.spoken, screen === this.ringing ? `Incoming call from ${call.from_display}.` : "");
    this.tick();
  }

  drawBanner(code) {
    let text = "";
    if (this.screen === this.ringing) text = "Incoming call · Answer";
    else if (code && code !== this.used) text = `${inGroups(code)} · Use`;
    write(this.bannerButton, text);
    // Streamlit removes the component from the page before it calls close().
    if (this.banner.isConnected) this.banner.togglePopover(text !== "");
  }

  switchTo(screen) {
    if (screen === this.screen) return;
    const hadFocus = this.screen?.contains(this.root.getRootNode().activeElement);
    this.screen = screen;
    for (const each of [this.home, this.ringing, this.talking]) each.hidden = each !== screen;
    this.body.classList.toggle("rings", screen === this.ringing);
    if (screen === this.home) this.home.scrollTop = this.home.scrollHeight;
    if (hadFocus) screen.focus({ preventScroll: true });
  }

  drawHome() {
    const history = this.phone?.history() ?? [];
    const current = history.filter(({ at }) => this.isCurrent(at));
    const earlier = history.filter(({ at }) => !this.isCurrent(at));
    const keyOf = ({ key }) => key;
    const drawItem = (item) => this.drawItem(item);
    const moved = [
      fillWith(this.earlier, earlier, keyOf, drawItem),
      fillWith(this.items, current, keyOf, drawItem),
    ];
    write(this.earlierHint, earlier.length ? `↑ ${earlier.length} earlier` : "");
    this.lock.hidden = current.length > 0;
    write(this.empty, this.emptyText());
    if (moved.includes(true)) this.home.scrollTop = this.home.scrollHeight;
  }

  emptyText() {
    const { sandbox, label } = this.data;
    if (!sandbox) {
      const phone = label ? `The phone ${label}` : "The phone you enter";
      return `${phone} gets the real message or call. This drawing stays empty.`;
    }
    if (!label) return "Enter a number and this becomes its phone. Codes arrive here.";
    // A message that was refused does not arrive.
    if (this.data.since_ms !== null) return `Nothing has arrived on ${label}.`;
    return `Nothing yet for ${label}. Send a code: its message or call arrives here.`;
  }

  drawItem({ message, call, at }) {
    const title = exactTime.format(at);
    const time = timeOfDay.format(at);
    if (message) {
      return make(
        "article",
        { title },
        make("p", { className: "quiet" }, `${message.from_display} · ${time}`),
        make("p", { className: "bubble" }, ...this.withCode(message.text)),
      );
    }
    const cause = call.answered_at ? "" : (call.hangup_cause_name ?? "");
    return make(
      "article",
      { title, className: call.answered_at ? "call" : "call missed" },
      handle(),
      make(
        "p",
        {},
        call.answered_at
          ? `Call, ${minutes(Date.parse(call.ended_at) - Date.parse(call.answered_at))}`
          : "Missed call",
        make(
          "span",
          { className: "quiet" },
          [call.from_display, time, cause].filter(Boolean).join(" · "),
        ),
      ),
    );
  }

  withCode(text) {
    const codes = codesIn(text, this.data.length, this.data.brand);
    if (codes.length !== 1) return [text];
    const [{ start, end }] = codes;
    return [text.slice(0, start), make("strong", {}, text.slice(start, end)), text.slice(end)];
  }

  drawCall(call) {
    write(this.caller, call.from_display);
    write(this.party, call.from_display);
    const { on, press } = this.phone.state.auto_answer;
    write(this.autoAnswer, on ? `Answers automatically${press ? `, presses ${press}` : ""}` : "");
    write(this.keyHint, call.waits_for_key ? "The caller waits for a key" : "");
    this.keypad.classList.toggle("waiting", call.waits_for_key);
    const [one] = this.keypad.children;
    if (call.waits_for_key) one.dataset.next = "phone";
    else delete one.dataset.next;
    const lines = call.transcript.map((line, n) => ({ ...line, key: `${call.call_uuid}/${n}` }));
    const changed = fillWith(
      this.transcript,
      lines,
      ({ key }) => key,
      ({ kind, text }) =>
        kind === "spoken"
          ? make("p", { className: "bubble" }, text)
          : make("p", { className: "pressed quiet" }, WORDS[kind](text)),
    );
    if (changed) this.transcript.scrollTop = this.transcript.scrollHeight;
  }

  tick() {
    const now = Date.now();
    write(this.bar, timeOfDay.format(now));
    write(this.lockTime, timeOfDay.format(now));
    write(this.lockDay, dayOfYear.format(now));
    const answeredAt = this.phone?.call()?.answered_at;
    if (answeredAt) {
      // Elapsed time is rounded down, remaining time is rounded up.
      write(this.duration, minutes(now + this.phone.ahead - Date.parse(answeredAt) - 999));
    }
  }

  close() {
    clearInterval(this.clock);
    this.phone?.close();
  }
}

export default (component) => mount(Handset, component);
