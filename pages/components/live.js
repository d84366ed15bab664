// Invisible: reports changes of the verification to Python, and keeps its id for this window. See
// live.py.

const SHORTEST_GAP_MS = 80;

class Live {
  constructor({ parentElement }) {
    this.root = make("span", { hidden: true });
    this.shrink = takeNoRoom(parentElement);
  }

  update({ data, setTriggerValue }) {
    this.trigger = setTriggerValue;
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

  /** The first change is told at once; those within the gap are told as one, when it ends. */
  changed() {
    const gap = Math.max(0, (this.toldAt ?? -Infinity) + SHORTEST_GAP_MS - performance.now());
    this.waiting ??= setTimeout(() => {
      this.waiting = undefined;
      this.toldAt = performance.now();
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
    this.shrink();
  }
}

export default (component) => mount(Live, component);
