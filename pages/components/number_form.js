// Invisible: additions to the number form. See number_form.py.

const SEARCH_MS = 5000;

class NumberForm {
  constructor({ parentElement, setTriggerValue, setStateValue }) {
    this.root = make("span", { hidden: true });
    this.restoreWrapper = collapseWrapper(parentElement);
    this.trigger = setTriggerValue;
    const running = sessionStorage.getItem(RUNNING);
    if (running) setStateValue("running", running);
    this.onKeyDown = (event) => this.enter(event);
    this.search = new MutationObserver(() => this.attach());
    this.search.observe(document.body, { childList: true, subtree: true });
    this.giveUp = setTimeout(() => this.search.disconnect(), SEARCH_MS);
  }

  update({ data, setTriggerValue, setStateValue }) {
    this.data = data;
    this.trigger = setTriggerValue;
    this.keepRequest(setStateValue);
    this.attach();
  }

  /** The request outlives a reload and a restart of the server, so that the form sent again is the
   * same request. */
  keepRequest(setStateValue) {
    const kept = sessionStorage.getItem(REQUEST);
    if (kept && this.data.is_first) {
      if (kept !== this.data.request) setStateValue("request", kept);
    } else sessionStorage.setItem(REQUEST, this.data.request);
  }

  /** Streamlit's field may be drawn after this component. */
  attach() {
    if (this.input) return;
    this.input = document.querySelector(`input[aria-label="${CSS.escape(this.data.label)}"]`);
    if (!this.input) return;
    this.search.disconnect();
    this.input.addEventListener("keydown", this.onKeyDown);
    this.input.focus({ preventScroll: true });
  }

  /** The field's text is sent too: the server may not have received the last key yet. */
  enter(event) {
    if (event.key !== "Enter" || event.isComposing || event.repeat) return;
    if (!this.input.value) return;
    this.trigger("entered", { typed: this.input.value, request: this.data.request });
  }

  close() {
    clearTimeout(this.giveUp);
    this.search.disconnect();
    this.input?.removeEventListener("keydown", this.onKeyDown);
    this.restoreWrapper();
  }
}

export default (component) => mount(NumberForm, component);
