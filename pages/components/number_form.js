// Invisible: what the form for a number lacks. See number_form.py.

const FOUND_WITHIN_MS = 5000;

class NumberForm {
  constructor({ parentElement, setTriggerValue, setStateValue }) {
    this.root = make("span", { hidden: true });
    this.shrink = takeNoRoom(parentElement);
    this.trigger = setTriggerValue;
    const running = sessionStorage.getItem(RUNNING);
    if (running) setStateValue("running", running);
    this.pressed = (event) => this.enter(event);
    this.search = new MutationObserver(() => this.attach());
    this.search.observe(document.body, { childList: true, subtree: true });
    this.giveUp = setTimeout(() => this.search.disconnect(), FOUND_WITHIN_MS);
  }

  update({ data, setTriggerValue }) {
    this.data = data;
    this.trigger = setTriggerValue;
    this.attach();
  }

  /** The field of Streamlit's may be drawn after this. */
  attach() {
    if (this.input) return;
    this.input = document.querySelector(`input[aria-label="${CSS.escape(this.data.label)}"]`);
    if (!this.input) return;
    this.search.disconnect();
    this.input.addEventListener("keydown", this.pressed);
    this.input.focus({ preventScroll: true });
  }

  /** What is in the field goes along: the server may not have read the last key yet. */
  enter(event) {
    if (event.key !== "Enter" || event.isComposing || event.repeat) return;
    if (!this.input.value) return;
    this.trigger("entered", { typed: this.input.value, request: this.data.request });
  }

  close() {
    clearTimeout(this.giveUp);
    this.search.disconnect();
    this.input?.removeEventListener("keydown", this.pressed);
    this.shrink();
  }
}

export default (component) => mount(NumberForm, component);
