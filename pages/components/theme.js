// Invisible: reports that the viewer's theme is another than that of the drawing. See theme.py.

// Streamlit calls its components before it sets the colours of the page.
const COLOURS_SET_MS = 100;

class Theme {
  constructor({ parentElement }) {
    this.root = make("span", { hidden: true });
    this.restoreWrapper = collapseWrapper(parentElement);
  }

  /** Called for every change of the data or of the theme. */
  update({ data, setTriggerValue }) {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => {
      const { colorScheme } = getComputedStyle(document.querySelector(".stApp"));
      if (colorScheme === data.drawn) this.reported = undefined;
      else if (colorScheme !== this.reported) {
        this.reported = colorScheme;
        setTriggerValue("changed", colorScheme);
      }
    }, COLOURS_SET_MS);
  }

  close() {
    clearTimeout(this.waiting);
    this.restoreWrapper();
  }
}

export default (component) => mount(Theme, component);
