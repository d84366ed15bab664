// Invisible: keeps the token of this browser's recording in a cookie. See tester.py.

class Tester {
  constructor({ parentElement }) {
    this.root = make("span", { hidden: true });
    this.restoreWrapper = collapseWrapper(parentElement);
  }

  update({ data }) {
    if (!data.token || data.token === this.kept) return;
    this.kept = data.token;
    // Without it, this tab records all the same: the page's own state has the token.
    fetch("/qa/tester", { method: "POST", body: data.token }).catch(() => (this.kept = undefined));
  }

  close() {
    this.restoreWrapper();
  }
}

export default (component) => mount(Tester, component);
