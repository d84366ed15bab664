// The page of a handset on another phone: opens the link in the address's fragment, then shows the
// handset of its verification until that ends. See core/web/phone.py for the routes.

const STATUS_MS = 2000;
/** By status of an ended verification: title and sentence. */
const ENDINGS = {
  verified: ["✔ Verified", "The number is verified. This phone has nothing more to show."],
  locked: ["■ Locked", "Too many wrong codes were entered."],
  canceled: ["Canceled", "This verification was canceled."],
  expired: ["Expired", "The code is no longer valid. Scan the code on the Verify page again."],
};
const NO_LINK = [
  "This link has ended",
  "It is not valid, or its verification has expired. Scan the code on the Verify page again.",
];

class PhonePage {
  async start() {
    const handle = location.hash.slice(1);
    // So that the address can be shown and shared. The browser keeps the link in a cookie.
    history.replaceState(null, "", location.pathname);
    const open = () =>
      handle
        ? this.request("/handset/link", { method: "POST", body: handle })
        : this.request("/handset/verification");
    let about = await open();
    while (!about && !this.ended) {
      await new Promise((resume) => setTimeout(resume, STATUS_MS));
      about = await open();
    }
    if (!about) return;
    this.handset = new Handset();
    const title = make("h1", { className: "spoken" }, `Phone ${about.label}`);
    document.body.append(make("main", {}, title, this.handset.root));
    window.addEventListener("verification-code", ({ detail }) => this.use(detail.code));
    this.show(about);
    this.timer = setInterval(() => document.hidden || this.refresh(), STATUS_MS);
    document.addEventListener("visibilitychange", () => document.hidden || this.refresh());
  }

  /** The references of attempts are known soon after they arrive, and decide whose code is offered. */
  async refresh() {
    if (this.ended) return;
    const about = await this.request("/handset/verification");
    if (about && this.handset) this.show(about);
  }

  show(about) {
    const text = JSON.stringify(about);
    if (text === this.shown) return;
    this.shown = text;
    this.handset.update({
      data: { sandbox: true, phone: "/handset/phone/handset", ...about },
    });
    this.handset.phone.onRead = () => this.refresh();
  }

  async use(code) {
    await this.request("/handset/code", { method: "POST", body: code });
    this.refresh();
  }

  /** The answer's JSON; undefined if there is none, after the end was shown if this is the end. */
  async request(path, options = {}) {
    try {
      const answer = await fetch(path, { cache: "no-store", ...options });
      if (answer.status === 404) this.end(NO_LINK);
      else if (answer.status === 410) this.end(ENDINGS[(await answer.json()).status] ?? NO_LINK);
      else if (answer.ok) return await answer.json();
    } catch (error) {
      console.warn("The server could not be reached:", error.message);
    }
    return undefined;
  }

  end([title, text]) {
    if (this.ended) return;
    this.ended = true;
    clearInterval(this.timer);
    this.handset?.close();
    document.body.replaceChildren(
      make("main", { className: "ending", role: "status" }, make("h1", {}, title), make("p", {}, text)),
    );
  }
}

new PhonePage().start();
