// The checklist of a test session. See checklist.py for the data.

const MARKS = {
  passed: { sign: "✔", key: "p", label: "Passed" },
  failed: { sign: "✕", key: "f", label: "Failed" },
  blocked: { sign: "■", key: "b", label: "Blocked" },
};
const SELECT_MS = 150;
const NOTE_MS = 800;
const RESEND_MS = 5000;

const CONTROLS = "button, a, summary, [role='radio'], [role='option'], [role='combobox']";

/** The key of an action, as a picture: its name is in aria-keyshortcuts. */
function keySign(key) {
  return make("kbd", { "aria-hidden": "true" }, key);
}

/** Whether a key belongs to what has the focus: text that is typed, or a control outside `root`. */
function isTaken(event, root) {
  const target = event.composedPath()[0];
  if (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName)) return true;
  return !event.composedPath().includes(root) && target.closest?.(CONTROLS) != null;
}

class Item {
  constructor(list) {
    this.list = list;
    this.mark = make("span", { className: "mark", "aria-hidden": "true" });
    this.spoken = make("span", { className: "spoken" });
    this.title = make("strong", {});
    this.way = make("span", { className: "quiet" });
    this.expected = make("span", { className: "expected" });
    this.sign = make("span", { className: "sign", "aria-hidden": "true" });
    this.seenText = make("span", {});
    this.seen = make("span", { className: "seen" }, this.sign, this.seenText);
    this.line = make(
      "button",
      { type: "button", className: "line" },
      this.mark,
      make("span", { className: "what" }, this.spoken, this.title, " ", this.way),
      this.expected,
      this.seen,
    );
    this.line.onclick = () => list.select(this.data.id);
    this.line.onfocus = () => list.select(this.data.id);
    this.buttons = {};
    for (const [mark, { key, label }] of Object.entries(MARKS)) {
      const button = make("button", { type: "button", className: mark }, label, keySign(key));
      button.setAttribute("aria-keyshortcuts", key);
      button.onclick = () => list.setMark(this.data.id, mark);
      this.buttons[mark] = button;
    }
    this.noteButton = make("button", { type: "button" }, "Note", keySign("n"));
    this.noteButton.setAttribute("aria-keyshortcuts", "n");
    this.noteButton.onclick = () => this.openNote();
    this.verify = make("a", { className: "verify" }, "Verify", keySign("v"));
    this.verify.setAttribute("aria-keyshortcuts", "v");
    this.verify.onclick = (event) => {
      // Any other click opens a new tab or window, as on every link.
      if (event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      list.trigger("verify", this.data.id);
    };
    this.remove = make("button", { type: "button", className: "remove" }, "Remove");
    this.remove.onclick = () => list.trigger("removed", this.data.id);
    this.time = make("span", { className: "quiet time" });
    this.actions = make(
      "div",
      { className: "actions", hidden: true },
      ...Object.values(this.buttons),
      this.noteButton,
      this.verify,
      this.remove,
      this.time,
    );
    this.note = make("textarea", { rows: 2, maxLength: 2000, placeholder: "What you saw" });
    this.note.oninput = () => this.noteTyped();
    this.note.onblur = () => this.saveNote();
    this.note.onkeydown = (event) => this.onNoteKey(event);
    this.noteText = make("p", { className: "note quiet" });
    this.noteText.onclick = () => list.isOpen && this.openNote();
    this.element = make("li", {}, this.line, this.noteText, this.actions, this.note);
    this.note.hidden = true;
  }

  draw(data, { isSelected, isOpen }) {
    const text = JSON.stringify([data, isSelected, isOpen]);
    if (text === this.drawn) return;
    this.drawn = text;
    this.data = data;
    const mark = MARKS[data.mark];
    write(this.mark, mark?.sign ?? "○");
    this.mark.className = `mark ${data.mark}`;
    write(this.spoken, mark ? `${mark.label}: ` : "Not marked: ");
    write(this.title, data.title);
    write(this.way, data.way);
    write(this.expected, data.expected);
    write(this.seenText, data.seen);
    write(this.sign, data.sign);
    this.seen.className = `seen ${data.agreement}`;
    this.expected.title = data.expected;
    this.seen.title = data.seen;
    if (isSelected) this.line.setAttribute("aria-current", "true");
    else this.line.removeAttribute("aria-current");
    this.line.tabIndex = isSelected ? 0 : -1;
    this.actions.hidden = !isSelected;
    this.element.classList.toggle("selected", isSelected);
    for (const [name, button] of Object.entries(this.buttons)) {
      button.setAttribute("aria-pressed", String(name === data.mark));
      button.disabled = !isOpen;
    }
    this.noteButton.disabled = this.remove.disabled = !isOpen;
    this.verify.href = data.href;
    this.verify.hidden = !isOpen;
    this.note.setAttribute("aria-label", `Note on ${data.title}`);
    write(this.time, mark ? data.marked_at : "");
    write(this.noteText, data.note);
    this.noteText.hidden = !data.note || !this.note.hidden;
    if (!isSelected && !this.note.hidden) this.closeNote();
  }

  openNote() {
    this.note.value = this.data.note;
    this.note.hidden = false;
    this.noteText.hidden = true;
    this.note.focus();
    this.note.setSelectionRange(this.note.value.length, this.note.value.length);
  }

  noteTyped() {
    clearTimeout(this.noteTimer);
    this.noteTimer = setTimeout(() => this.saveNote(), NOTE_MS);
  }

  saveNote() {
    clearTimeout(this.noteTimer);
    if (this.note.hidden || this.note.value.trim() === this.data.note) return;
    this.list.change(this.data.id, "note", this.note.value.trim());
  }

  /** Escape and Ctrl+Enter close the note, which is saved as it is typed. */
  onNoteKey(event) {
    event.stopPropagation();
    const closes = event.key === "Escape" || (event.key === "Enter" && (event.ctrlKey || event.metaKey));
    if (!closes) return;
    event.preventDefault();
    this.closeNote();
    this.line.focus();
  }

  closeNote() {
    this.saveNote();
    this.note.hidden = true;
    this.noteText.hidden = !this.noteText.textContent;
  }
}

class Checklist {
  constructor() {
    // Serials of changes count for this component: a reload begins again with another client.
    this.client = crypto.randomUUID?.() ?? String(Math.random());
    this.serial = 0;
    this.pending = [];
    this.items = new Map();
    this.progress = make("p", { className: "progress", role: "status" });
    this.keys = make(
      "p",
      { className: "keys quiet" },
      ...[
        ["p", "passed"],
        ["f", "failed"],
        ["b", "blocked"],
        ["u", "no mark"],
        ["j k ↓ ↑", "next, previous"],
        ["n", "note"],
        ["v", "verify"],
      ].map(([key, label]) => make("span", {}, make("kbd", {}, key), ` ${label}`)),
    );
    this.head = make(
      "div",
      { className: "head quiet", "aria-hidden": "true" },
      make("span"),
      make("span", {}, "Item"),
      make("span", {}, "Expected"),
      make("span", {}, "Seen"),
    );
    this.list = make("ol", { "aria-label": "Checklist" });
    this.root = make(
      "div",
      { className: "root" },
      make("div", { className: "top" }, this.progress, this.keys),
      this.head,
      this.list,
    );
    this.onWindowKey = (event) => this.onKey(event);
    window.addEventListener("keydown", this.onWindowKey);
  }

  update({ data, setStateValue, setTriggerValue }) {
    this.setState = setStateValue;
    this.trigger = setTriggerValue;
    const applied = data.applied[this.client] ?? 0;
    this.pending = this.pending.filter(({ serial }) => serial > applied);
    if (data.session !== this.session) {
      this.session = data.session;
      this.selected = data.selected;
      this.pending = [];
    }
    this.isOpen = data.is_open;
    this.data = data;
    const isNew = !data.items.some(({ id }) => id === this.selected) || !this.items.size;
    if (isNew) this.selected = data.selected;
    this.draw();
    if (isNew) this.reveal();
  }

  /** Scroll the list to the selected item, and nothing else of the page. */
  reveal() {
    const element = this.items.get(this.selected)?.element;
    if (!element) return;
    const list = this.list.getBoundingClientRect();
    const { top, bottom } = element.getBoundingClientRect();
    if (top < list.top || bottom > list.bottom) this.list.scrollTop += top - list.top - 80;
  }

  draw() {
    const rows = this.data.items.map((item) => this.overlaid(item));
    const ids = new Set(rows.map(({ id }) => id));
    for (const [id, item] of this.items) {
      if (ids.has(id)) continue;
      item.element.remove();
      this.items.delete(id);
    }
    rows.forEach((row, n) => {
      let item = this.items.get(row.id);
      if (!item) this.items.set(row.id, (item = new Item(this)));
      item.draw(row, { isSelected: row.id === this.selected, isOpen: this.isOpen });
      const before = this.list.children[n];
      if (before !== item.element) this.list.insertBefore(item.element, before ?? null);
    });
    this.head.hidden = !rows.length;
    this.keys.hidden = !rows.length || !this.isOpen;
    write(this.progress, this.progressWords(rows));
  }

  /** An item with the changes that the server has not confirmed. */
  overlaid(item) {
    const row = { ...item };
    for (const { item: id, field, value } of this.pending) if (id === item.id) row[field] = value;
    if (row.mark !== item.mark) row.marked_at = "";
    return row;
  }

  /** As the server says it; counted here while it has not confirmed a mark. */
  progressWords(rows) {
    if (!this.pending.some(({ field }) => field === "mark")) return this.data.progress;
    const counts = Object.keys(MARKS)
      .map((mark) => [rows.filter((row) => row.mark === mark).length, mark])
      .filter(([count]) => count);
    const marked = counts.reduce((sum, [count]) => sum + count, 0);
    const parts = counts.map(([count, mark]) => `${count} ${mark}`).join(", ");
    return `${marked} of ${rows.length}${parts && `: ${parts}`}`;
  }

  select(id, { focus = false } = {}) {
    if (id !== this.selected) {
      this.selected = id;
      this.draw();
      clearTimeout(this.selectTimer);
      // A key that is held passes many items: only the one where it stops is read.
      this.selectTimer = setTimeout(() => this.setState("selected", this.selected), SELECT_MS);
    }
    const item = this.items.get(id);
    if (focus) item.line.focus({ preventScroll: true });
    item.element.scrollIntoView({ block: "nearest" });
  }

  setMark(id, mark) {
    const current = this.overlaid(this.data.items.find((item) => item.id === id)).mark;
    // The same mark again removes it.
    this.change(id, "mark", mark === current ? "" : mark);
  }

  change(item, field, value) {
    if (!this.isOpen) return;
    this.serial += 1;
    this.pending.push({ serial: this.serial, item, field, value });
    this.draw();
    this.send();
  }

  /** Until an answer confirms them: a message that is sent while the connection is lost is lost. */
  send() {
    clearTimeout(this.resendTimer);
    if (!this.pending.length) return;
    const { client, session, pending } = this;
    // With the time: a value that does not differ from the last one is not reported.
    this.setState("changes", { client, session, changes: pending, sent: Date.now() });
    this.resendTimer = setTimeout(() => this.send(), RESEND_MS);
  }

  /** Keys work on the whole page, but not where text is typed, at other controls or in a dialog. */
  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || isTaken(event, this.root)) return;
    if (!this.root.isConnected || !this.items.size || document.querySelector("dialog[open]")) return;
    // At another place with the focus, such as a part that scrolls, the arrows scroll that.
    const focused = document.activeElement;
    const isFree = focused === document.body || focused?.matches("[data-testid='stMain']");
    const hasArrows = isFree || event.composedPath().includes(this.list);
    const steps = { j: 1, k: -1, ...(hasArrows ? { ArrowDown: 1, ArrowUp: -1 } : {}) };
    const item = this.items.get(this.selected);
    const mark = Object.keys(MARKS).find((name) => MARKS[name].key === event.key);
    if (event.key in steps) this.move(steps[event.key]);
    else if (event.repeat || !item) return;
    else if (mark) this.change(this.selected, "mark", mark);
    else if (event.key === "u") this.change(this.selected, "mark", "");
    else if (event.key === "n" && this.isOpen) item.openNote();
    else if (event.key === "v" && this.isOpen) this.trigger("verify", this.selected);
    else return;
    event.preventDefault();
  }

  move(step) {
    const ids = [...this.data.items.map(({ id }) => id)];
    const next = Math.min(Math.max(ids.indexOf(this.selected) + step, 0), ids.length - 1);
    this.select(ids[next], { focus: true });
  }

  close() {
    clearTimeout(this.selectTimer);
    clearTimeout(this.resendTimer);
    window.removeEventListener("keydown", this.onWindowKey);
  }
}

export default (component) => mount(Checklist, component);
