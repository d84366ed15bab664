// Invisible: reports that the browser's query is another than that of the drawing. See address.py.

// A query that the same run writes afterwards.
const ADDRESS_SET_MS = 100;

/** In one spelling and order, without Streamlit's own parameters, which Python does not see. */
function plainQuery(query) {
  const parameters = new URLSearchParams(query);
  for (const name of ["embed", "embed_options"]) parameters.delete(name);
  parameters.sort();
  return parameters.toString();
}

class Address {
  constructor({ parentElement }) {
    this.root = make("span", { hidden: true });
    this.restoreWrapper = collapseWrapper(parentElement);
  }

  update({ data, setTriggerValue }) {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => {
      // Not while another page is opening.
      if (location.pathname !== data.path) return;
      const browser = plainQuery(location.search);
      if (browser === plainQuery(data.query)) this.reported = undefined;
      else if (browser !== this.reported) {
        this.reported = browser;
        setTriggerValue("changed", Date.now());
      }
    }, ADDRESS_SET_MS);
  }

  close() {
    clearTimeout(this.waiting);
    this.restoreWrapper();
  }
}

export default (component) => mount(Address, component);
