// Presenter mode: its button, its keys and its line of keys. See presenter.py.

const STORED = "presenter-mode";
// The page is drawn as large as if the window had this size.
const WIDTH = 1120;
const HEIGHT = 630;
const OPEN = '[role="dialog"], [data-testid="stPopoverBody"]';

class Presenter {
  constructor() {
    this.start = make("button", { type: "button", className: "start" }, "Present");
    this.start.title = "Presenter mode (key P)";
    this.start.onclick = () => this.set(true);
    this.keys = make(
      "div",
      { className: "keys", role: "toolbar", "aria-label": "Presenter mode" },
      this.button("N", "Next", () => this.next()),
      this.button("R", "Reset", () => this.reset()),
      this.button("Esc", "Leave", () => this.set(false)),
    );
    this.root = make("div", { className: "root" }, this.start, this.keys);
    // In the capture phase: Streamlit has keys of its own, R among them.
    this.onKeyDown = (event) => this.pressed(event);
    this.onResize = () => this.resize();
    window.addEventListener("keydown", this.onKeyDown, { capture: true });
    window.addEventListener("resize", this.onResize);
    this.set(sessionStorage.getItem(STORED) !== null);
  }

  button(key, label, act) {
    const button = make("button", { type: "button" }, make("kbd", {}, key), label);
    button.onclick = act;
    return button;
  }

  update({ setTriggerValue }) {
    this.trigger = setTriggerValue;
  }

  set(on) {
    this.on = on;
    if (on) sessionStorage.setItem(STORED, "");
    else sessionStorage.removeItem(STORED);
    document.documentElement.toggleAttribute("data-presenter", on);
    this.start.hidden = on;
    this.keys.hidden = !on;
    this.resize();
  }

  resize() {
    const zoom = Math.max(1, Math.min(innerWidth / WIDTH, innerHeight / HEIGHT));
    const { style } = document.documentElement;
    if (this.on) style.setProperty("--page-zoom", zoom.toFixed(3));
    else style.removeProperty("--page-zoom");
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector(OPEN)) return;
    const act = this.action(event);
    if (!act) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!event.repeat) act();
  }

  /** What a key does here; undefined where it has its usual meaning. */
  action(event) {
    const [target] = event.composedPath();
    const inText = target.matches?.("input, textarea, select, [contenteditable]");
    // The code field takes digits only, so letters are free there.
    const inCode = inText && target.inputMode === "numeric";
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (!this.on) return key === "p" && (!inText || inCode) ? () => this.set(true) : undefined;
    if (key === "Escape") return () => this.set(false);
    if (inText && !(inCode && target.value === "")) return undefined;
    if (key === "r") return () => this.reset();
    const onButton = target.matches?.("button, a, summary, [role=radio]");
    if (key === "n" || ((key === "Enter" || key === "ArrowRight") && !onButton)) {
      return () => this.next();
    }
    return undefined;
  }

  next() {
    this.nextButton()?.click();
  }

  nextButton() {
    const place = document.querySelector(".st-key-verify_page");
    const hosts = [...(place?.querySelectorAll("*") ?? [])].filter((node) => node.shadowRoot);
    const marked = hosts.flatMap((host) => [...host.shadowRoot.querySelectorAll("[data-next]")]);
    // The handset first: a code that is there, or a call that rings, comes before another send.
    marked.sort((a, b) => Number(b.dataset.next === "phone") - Number(a.dataset.next === "phone"));
    const primary = place?.querySelectorAll(".st-key-verify_next button") ?? [];
    return [...marked, ...primary].find((each) => !each.disabled && each.checkVisibility());
  }

  reset() {
    sessionStorage.removeItem(RUNNING);
    this.trigger("reset", true);
  }

  close() {
    window.removeEventListener("keydown", this.onKeyDown, { capture: true });
    window.removeEventListener("resize", this.onResize);
    document.documentElement.removeAttribute("data-presenter");
    document.documentElement.style.removeProperty("--page-zoom");
  }
}

export default (component) => mount(Presenter, component);
