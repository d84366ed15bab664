// Shared by the components: assets.py puts this in front of each of them.

/** An element with properties and children. Text only ever arrives as text, never as HTML. */
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Change the text only where it differs: a live region repeats whatever is written again. */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** `272000` as `4:32`; a started second counts whole, so it reads 0:00 only when all is over. */
function minutes(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Streamlit's wrapper around nothing would still take the gap of one element. Returns the undoing:
 * React may put another element into the same wrapper. */
function takeNoRoom(parentElement) {
  const wrapper = parentElement.host?.closest('[data-testid="stElementContainer"]');
  if (wrapper) wrapper.style.display = "none";
  return () => {
    if (wrapper) wrapper.style.display = "";
  };
}

/** Where a window's session storage has the verification that is running in it. */
const RUNNING = "running-verification";

const instances = new WeakMap();

/**
 * One instance for each place where the component is mounted. Streamlit calls the module again for
 * every change of data or theme and cleans up only once, with what the last call returned.
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

const RETRY_MS = 1000;
// The server speaks every 15 seconds.
const SILENCE_MS = 40_000;

/**
 * Changes, pushed over a WebSocket that is opened again when it is lost. `onChange` is called at
 * every change, and at every opening: what happened before it was not heard. `onLost` is called when
 * it breaks. A hidden page holds none. Why a WebSocket: see core/web/live.py.
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
      this.heard();
      this.onChange();
    };
    socket.onmessage = ({ data }) => {
      this.heard();
      if (data) this.onChange();
    };
    socket.onclose = () => this.lost();
    this.heard();
  }

  /** A connection that is gone without a word is noticed by its silence. */
  heard() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.lost(), SILENCE_MS);
  }

  lost() {
    this.stop();
    this.onLost();
    this.retry = setTimeout(() => this.open(), RETRY_MS * (0.5 + Math.random()));
  }

  stop() {
    clearTimeout(this.retry);
    clearTimeout(this.silence);
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
