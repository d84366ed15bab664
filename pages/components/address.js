// Invisible: reports that the browser's query is another than that of the drawing. See address.py.

/** In one spelling and order, without Streamlit's own parameters, which Python does not see. */
function plainQuery(query) {
  const parameters = new URLSearchParams(query);
  for (const name of ["embed", "embed_options"]) parameters.delete(name);
  parameters.sort();
  return parameters.toString();
}

class Address extends Difference {
  compared({ path, query }) {
    // Not while another page is opening.
    return location.pathname === path && [plainQuery(query), plainQuery(location.search)];
  }
}

export default (component) => mount(Address, component);
