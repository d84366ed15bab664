// Shared by the components: assets.py puts this before each script.

/** An element with properties and children. Text is inserted as text, never as HTML. */
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Set the text only if it differs: a live region announces every write again. */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** `272000` as `4:32`; rounded up, so it reads 0:00 only at the end. */
function minutes(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Hide Streamlit's wrapper, which would add a gap for an invisible component. Returns a function
 * that shows it again: React may reuse the wrapper for another element. */
function collapseWrapper(parentElement) {
  const wrapper = parentElement.host?.closest('[data-testid="stElementContainer"]');
  if (wrapper) wrapper.style.display = "none";
  return () => {
    if (wrapper) wrapper.style.display = "";
  };
}

/** The key in the window's session storage of the verification that is running in it. */
const RUNNING = "running-verification";
/** The same of the request of a form whose verification this window has not shown. */
const REQUEST = "form-request";

const instances = new WeakMap();

/**
 * One instance for each mounted component. Streamlit calls the module again for every change of data
 * or theme, and calls only the last returned clean-up function.
 */
function mount(Component, component) {
  const { parentElement } = component;
  let instance = instances.get(parentElement);
  if (!instance) {
    instance = new Component(component);
    instances.set(parentElement, instance);
    parentElement.append(instance.root);
  }
  instance.update(component);
  return () => {
    instance.close();
    instance.root.remove();
    instances.delete(parentElement);
  };
}

// What the browser shows follows the drawing with this delay.
const SHOWN_MS = 100;

/**
 * An invisible component that reports, once, that the browser has another value than that of the
 * drawing. `compared(data)` of a subclass returns both, or nothing while they cannot be compared.
 */
class Difference {
  constructor({ parentElement }) {
    this.root = make("span", { hidden: true });
    this.restoreWrapper = collapseWrapper(parentElement);
  }

  update({ data, setTriggerValue }) {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => {
      const values = this.compared(data);
      if (!values) return;
      const [drawn, found] = values;
      if (found === drawn) this.reported = undefined;
      else if (found !== this.reported) {
        this.reported = found;
        setTriggerValue("changed", Date.now());
      }
    }, SHOWN_MS);
  }

  close() {
    clearTimeout(this.waiting);
    this.restoreWrapper();
  }
}

const RETRY_MS = 1000;
// The server sends a message every 15 seconds.
const SILENCE_MS = 40_000;

/**
 * Changes, pushed over a WebSocket that is opened again when it is lost. `onChange` is called with
 * the message of every change, and without one at every opening, as changes before it were missed.
 * `onLost` is called when the connection breaks. A hidden page keeps no connection. Why a WebSocket: see core/web/live.py.
 */
class ChangeStream {
  constructor(path, onChange, onLost = () => {}) {
    this.url = new URL(path, location.href);
    this.url.protocol = this.url.protocol.replace("http", "ws");
    this.onChange = onChange;
    this.onLost = onLost;
    this.follow = () => (document.hidden ? this.stop() : this.open());
    document.addEventListener("visibilitychange", this.follow);
    window.addEventListener("online", this.follow);
    this.follow();
  }

  open() {
    this.stop();
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.onopen = () => {
      this.restartSilenceTimer();
      this.onChange();
    };
    socket.onmessage = ({ data }) => {
      this.restartSilenceTimer();
      if (data) this.onChange(data);
    };
    socket.onclose = () => this.lost();
    this.restartSilenceTimer();
  }

  /** A connection that broke without a close event is detected by its silence. */
  restartSilenceTimer() {
    clearTimeout(this.silenceTimer);
    this.silenceTimer = setTimeout(() => this.lost(), SILENCE_MS);
  }

  lost() {
    this.stop();
    this.onLost();
    this.retry = setTimeout(() => this.open(), RETRY_MS * (0.5 + Math.random()));
  }

  stop() {
    clearTimeout(this.retry);
    clearTimeout(this.silenceTimer);
    if (!this.socket) return;
    this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
    this.socket = undefined;
  }

  close() {
    document.removeEventListener("visibilitychange", this.follow);
    window.removeEventListener("online", this.follow);
    this.stop();
  }
}
