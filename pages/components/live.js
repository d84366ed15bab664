// Invisible: reports changes of the verification to Python, and stores its id for this window. See
// live.py.

const SHORTEST_GAP_MS = 80;

class Live {
  constructor({ parentElement }) {
    this.root = make("span", { hidden: true });
    this.restoreWrapper = collapseWrapper(parentElement);
  }

  update({ data, setTriggerValue }) {
    this.trigger = setTriggerValue;
    sessionStorage.removeItem(REQUEST);
    if (data.is_running) sessionStorage.setItem(RUNNING, data.verification);
    else if (sessionStorage.getItem(RUNNING) === data.verification) {
      sessionStorage.removeItem(RUNNING);
    }
    if (data.verification === this.verification) return;
    this.verification = data.verification;
    this.stop();
    const url = `/live/${encodeURIComponent(data.verification)}`;
    this.stream = new ChangeStream(url, () => this.changed());
  }

  /** The first change is reported at once; further ones within the gap are reported together. */
  changed() {
    const gap = Math.max(0, (this.reportedAt ?? -Infinity) + SHORTEST_GAP_MS - performance.now());
    this.waiting ??= setTimeout(() => {
      this.waiting = undefined;
      this.reportedAt = performance.now();
      this.trigger("changed", Date.now());
    }, gap);
  }

  stop() {
    this.stream?.close();
    clearTimeout(this.waiting);
    this.waiting = undefined;
  }

  close() {
    this.stop();
    this.restoreWrapper();
  }
}

export default (component) => mount(Live, component);
