// Invisible: keeps the entries of a page's own changes out of the browser's history. See history.py.

const WRAPPED = Symbol.for("verification.history");

/** Once a window: Streamlit mounts the component again on each page. */
function wrapHistory() {
  if (history[WRAPPED]) return;
  history[WRAPPED] = true;
  let acted = false;
  /** The query that was pushed last, and whose entry is the current one. */
  let pushed = "";
  for (const kind of ["pointerdown", "keydown"]) {
    window.addEventListener(kind, (event) => (acted ||= event.isTrusted), { capture: true });
  }
  window.addEventListener("popstate", () => {
    acted = false;
    pushed = "";
  });
  const push = history.pushState.bind(history);
  history.pushState = (state, title, url) => {
    const { pathname, search } = new URL(url ?? "", location.href);
    const samePage = pathname === location.pathname;
    // Streamlit opens another page in two steps: it writes the query of that page under the path of
    // this one, which is no place to come back to, and then the path.
    const isSecondStep = !samePage && search && search === pushed && search === location.search;
    if ((samePage && !acted) || isSecondStep) history.replaceState(state, title, url);
    else push(state, title, url);
    pushed = samePage && acted ? search : "";
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
