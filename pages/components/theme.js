// Invisible: reports that the viewer's theme is another than that of the drawing. See theme.py.

class Theme extends Difference {
  compared({ drawn }) {
    return [drawn, getComputedStyle(document.querySelector(".stApp")).colorScheme];
  }
}

export default (component) => mount(Theme, component);
