// Invisible: moves the focus into a popover that a key has opened, and gives each popover the colour
// scheme of the page, which it is drawn outside of. See popovers.py.

const FOLLOWED = Symbol.for("verification.popovers");
const BODY = '[data-testid="stPopoverBody"]';

/** Once a window: Streamlit mounts the component again on each page. */
function followPopovers() {
  if (window[FOLLOWED]) return;
  window[FOLLOWED] = true;
  let opener;
  const bodyOf = (node) => (node.matches?.(BODY) ? node : node.querySelector?.(BODY));
  new MutationObserver((changes) => {
    for (const { addedNodes, removedNodes } of changes) {
      for (const body of [...addedNodes].map(bodyOf).filter(Boolean)) enter(body);
      if ([...removedNodes].some(bodyOf)) leave();
    }
  }).observe(document.body, { childList: true, subtree: true });

  function enter(body) {
    const { colorScheme } = getComputedStyle(document.querySelector(".stApp"));
    body.style.colorScheme = colorScheme;
    const { activeElement } = document;
    const isByKey = activeElement?.matches('[data-testid="stPopover"] button:focus-visible');
    if (!isByKey) return;
    opener = activeElement;
    // Not its first control, which may delete something: Enter may have been pressed twice.
    body.tabIndex = -1;
    body.style.outline = "none";
    // Streamlit places the popover after it has drawn it: until then it is at the top of the page.
    requestAnimationFrame(() => body.focus({ preventScroll: true }));
  }

  /** Not where the person has gone on to another control. */
  function leave() {
    if (document.activeElement === document.body) opener?.focus({ preventScroll: true });
    opener = undefined;
  }
}

class Popovers {
  constructor() {
    this.root = make("span", { hidden: true });
    followPopovers();
  }

  update() {}

  close() {}
}

export default (component) => mount(Popovers, component);
