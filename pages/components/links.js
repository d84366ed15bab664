// Links between the timeline and the exchanges of one page: events of the window, whose detail is
// the id of a step.

/** A step of the timeline was clicked. */
const STEP_OPENED = "timeline-step-opened";
/** An exchange was opened: its step is to be marked. */
const EXCHANGE_OPENED = "exchange-opened";
/** The step of an exchange is to get the focus. */
const STEP_WANTED = "timeline-step-wanted";

function announceLink(name, detail) {
  window.dispatchEvent(new CustomEvent(name, { detail }));
}
