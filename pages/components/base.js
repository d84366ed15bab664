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

/**
 * A stream of "changed" that heals itself. `onChange` is called at every change, and at every
 * opening: what happened before it was not heard. `onLost` is called when the stream breaks.
 * A hidden page holds no stream, because a browser allows six to one host over all its tabs.
 */
class ChangeStream {
  constructor(url, onChange, onLost = () => {}) {
    this.url = url;
    this.onChange = onChange;
    this.onLost = onLost;
    this.followVisibility = () => (document.hidden ? this.stop() : this.open());
    document.addEventListener("visibilitychange", this.followVisibility);
    this.followVisibility();
  }

  open() {
    this.stop();
    this.source = new EventSource(this.url);
    this.source.onopen = () => this.onChange();
    this.source.onmessage = () => this.onChange();
    this.source.onerror = () => {
      this.onLost();
      // After an HTTP error the browser gives up for good; after a lost connection it does not.
      if (this.source?.readyState === EventSource.CLOSED && !this.retry) {
        this.retry = setTimeout(() => this.open(), 1000);
      }
    };
  }

  stop() {
    clearTimeout(this.retry);
    this.retry = undefined;
    this.source?.close();
    this.source = undefined;
  }

  close() {
    document.removeEventListener("visibilitychange", this.followVisibility);
    this.stop();
  }
}
