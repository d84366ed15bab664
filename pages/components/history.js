// Invisible: keeps the entries of a page's own changes out of the browser's history. See history.py.

const WRAPPED = Symbol.for("verification.history");

/** Once a window: Streamlit mounts the component again on each page. */
function wrapHistory() {
  if (history[WRAPPED]) return;
  history[WRAPPED] = true;
  let acted = false;
  for (const kind of ["pointerdown", "keydown"]) {
    window.addEventListener(kind, (event) => (acted ||= event.isTrusted), { capture: true });
  }
  window.addEventListener("popstate", () => (acted = false));
  const push = history.pushState.bind(history);
  history.pushState = (state, title, url) => {
    const samePage = new URL(url ?? "", location.href).pathname === location.pathname;
    if (samePage && !acted) history.replaceState(state, title, url);
    else push(state, title, url);
    if (!samePage) acted = false;
  };
}

class History {
  constructor() {
    this.root = make("span", { hidden: true });
    wrapHistory();
  }

  update() {}

  close() {}
}

export default (component) => mount(History, component);
