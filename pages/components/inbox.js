// The list of the sandbox's inbox. See inbox.py for the data.

const SEARCH_AFTER_MS = 250;
const AGE_EVERY_MS = 5000;
const POLL_EVERY_MS = 2000;
const CHANGE_GAP_MS = 150;
/** In a window that is narrower, the open entry is below the list. */
const NARROW = "(max-width: 640px)";
const ICONS = {
  sms: "M4 4h16a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H8l-5 4V6a2 2 0 0 1 1-2z",
  call:
    "M7 3.5h2.6l1.6 4.2-2 1.6a12 12 0 0 0 5.5 5.5l1.6-2 4.2 1.6V17a2.6 2.6 0 0 1-2.8 2.6A15.6 15.6 0 0 1 " +
    "4.4 6.3 2.6 2.6 0 0 1 7 3.5z",
};
const CHANNELS = { sms: "Message", call: "Call" };
const NOTHING_SPOKEN = {
  ringing: "Waits for an answer",
  "in-progress": "Nothing spoken yet",
  ended: "Nothing was spoken",
};
const exactTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

function icon(channel) {
  const space = "http://www.w3.org/2000/svg";
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", ICONS[channel] ?? ICONS.sms);
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", CHANNELS[channel] ?? "Message");
  svg.append(path);
  return svg;
}

function age(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 5) return "now";
  if (seconds < 60) return `${seconds - (seconds % 5)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

class Inbox {
  constructor() {
    this.field = make("input", {
      type: "search",
      placeholder: "Search number, text or code",
      maxLength: 200,
      autocomplete: "off",
      spellcheck: false,
      "aria-label": "Search the inbox",
      "aria-keyshortcuts": "/",
      title: "Search (key /)",
    });
    this.summary = make("span", { className: "quiet" });
    this.pill = make("button", { type: "button", className: "pill", hidden: true });
    this.spoken = make("p", { className: "spoken", role: "status" });
    this.rows = make("ul", { "aria-label": "Messages and calls, newest first" });
    this.empty = make("p", { className: "empty quiet" });
    this.list = make("div", { className: "list" }, this.rows, this.empty);
    this.newest = make("button", { type: "button" }, "Newest");
    this.older = make("button", { type: "button" }, "Older");
    this.pager = make("div", { className: "pager" }, this.newest, this.older);
    this.root = make(
      "section",
      { className: "root", "aria-label": "Inbox" },
      this.field,
      make("div", { className: "head" }, this.summary, this.pill),
      this.list,
      this.pager,
      this.spoken,
    );
    this.entries = [];

    this.field.addEventListener("input", () => this.typed());
    this.field.addEventListener("keydown", (event) => this.searchKey(event));
    this.rows.addEventListener("click", (event) => this.clicked(event));
    this.rows.addEventListener("keydown", (event) => this.rowKey(event));
    this.list.addEventListener("scroll", () => this.catchUp());
    this.list.addEventListener("pointerenter", ({ pointerType }) => {
      this.pointed = pointerType === "mouse";
    });
    this.list.addEventListener("pointerleave", () => {
      this.pointed = false;
      this.catchUp();
    });
    this.pill.addEventListener("click", () => this.showNew());
    this.newest.addEventListener("click", () => this.trigger("newest", Date.now()));
    this.older.addEventListener("click", () => this.trigger("older", Date.now()));
    this.onKeyDown = (event) => this.pageKey(event);
    window.addEventListener("keydown", this.onKeyDown, { capture: true });
    this.ages = setInterval(() => this.drawAges(), AGE_EVERY_MS);
  }

  update({ data, setTriggerValue }) {
    this.trigger = setTriggerValue;
    if (data.stream !== this.data?.stream) this.follow(data.stream);
    if (data === this.data) return;
    const before = this.data;
    this.data = data;
    this.ahead = data.now_ms - Date.now();
    // While the answer to a search is awaited, the field is newer than what arrives.
    if (data.search === this.searched) this.isSearching = false;
    else if (!this.isSearching && this.typing === undefined) {
      this.field.value = this.searched = data.search;
    }
    const isSameList = before && before.search === data.search && before.page === data.page;
    if (isSameList && this.isRead()) this.drawHeld();
    else this.show(data.entries, !isSameList);
  }

  // --- changes

  follow(stream) {
    this.stream?.close();
    this.stream = undefined;
    this.poll(!stream);
    if (!stream) return;
    this.stream = new ChangeStream(
      stream,
      () => {
        this.poll(false);
        this.changed();
      },
      () => this.poll(true),
    );
  }

  poll(on) {
    clearInterval(this.polling);
    this.polling = on
      ? setInterval(() => document.hidden || this.changed(), POLL_EVERY_MS)
      : undefined;
  }

  /** A call changes several times a second: changes within the gap are reported together. */
  changed() {
    this.reporting ??= setTimeout(() => {
      this.reporting = undefined;
      this.trigger("changed", Date.now());
    }, CHANGE_GAP_MS);
  }

  // --- what is shown

  /** Whether the person is in the list: then nothing moves, and new entries wait. */
  isRead() {
    return this.list.scrollTop > 0 || this.pointed || this.rows.contains(this.focused());
  }

  focused() {
    return this.root.getRootNode().activeElement;
  }

  show(entries, toTop) {
    this.entries = entries;
    this.pill.hidden = true;
    this.draw();
    if (toTop) this.list.scrollTop = 0;
  }

  /** Draw what has changed in the entries on the list; count those that are not on it yet. */
  drawHeld() {
    const incoming = new Map(this.data.entries.map((entry) => [entry.reference, entry]));
    const known = new Set(this.entries.map(({ reference }) => reference));
    const first = this.data.entries.findIndex(({ reference }) => known.has(reference));
    const arrived = first < 0 ? this.data.entries.length : first;
    const last = this.data.entries.at(-1)?.arrived_ms ?? Infinity;
    // An entry that is not in the answer has been removed, unless newer ones have pushed it off.
    this.entries = this.entries
      .map((entry) => incoming.get(entry.reference) ?? (entry.arrived_ms < last ? entry : null))
      .filter(Boolean);
    this.draw();
    this.pill.hidden = arrived === 0;
    write(this.pill, arrived ? `↑ ${arrived} new` : "");
    write(this.spoken, arrived ? `${arrived} new in the inbox` : "");
  }

  showNew() {
    this.show(this.data.entries, true);
    this.rows.querySelector("button")?.focus();
  }

  catchUp() {
    if (!this.pill.hidden && !this.isRead()) this.show(this.data.entries, false);
  }

  draw() {
    const { search, empty, page, has_older, opened } = this.data;
    const existing = new Map([...this.rows.children].map((row) => [row.dataset.reference, row]));
    const rows = this.entries.map((entry) => {
      const row = existing.get(entry.reference) ?? this.newRow(entry.reference);
      const content = JSON.stringify(entry);
      if (row.content !== content) this.fill(row, entry);
      row.content = content;
      row.firstChild.toggleAttribute("data-open", entry.reference === opened);
      if (entry.reference === opened) row.firstChild.setAttribute("aria-current", "true");
      else row.firstChild.removeAttribute("aria-current");
      return row;
    });
    const isSame =
      rows.length === this.rows.children.length &&
      rows.every((row, n) => row === this.rows.children[n]);
    if (!isSame) this.place(rows);
    this.empty.hidden = rows.length > 0;
    write(this.empty, empty);
    write(this.summary, search ? "Matches, newest first" : page ? "Older" : "Newest first");
    this.newest.hidden = page === 0;
    this.older.hidden = !has_older;
    this.pager.hidden = this.newest.hidden && this.older.hidden;
    this.drawAges();
  }

  /** Rows that stay are not taken out of the page: a focused one would lose the focus. */
  place(rows) {
    const kept = new Set(rows);
    for (const row of [...this.rows.children]) if (!kept.has(row)) row.remove();
    rows.forEach((row, n) => {
      if (this.rows.children[n] !== row) this.rows.insertBefore(row, this.rows.children[n] ?? null);
    });
  }

  newRow(reference) {
    const row = make("li", {}, make("button", { type: "button" }));
    row.dataset.reference = reference;
    return row;
  }

  fill(row, { channel, number, text, code, state, arrived_ms }) {
    const waiting = { ringing: "Ringing", "in-progress": "In progress" }[state];
    const time = make("time", { className: "quiet", title: exactTime.format(arrived_ms) });
    time.dateTime = new Date(arrived_ms).toISOString();
    row.firstChild.replaceChildren(
      icon(channel),
      make("span", { className: "number" }, number),
      time,
      make("span", { className: "text quiet" }, text || NOTHING_SPOKEN[state] || NOTHING_SPOKEN.ended),
      make("span", { className: code ? "code" : "code waiting" }, code || waiting || ""),
    );
  }

  drawAges() {
    const now = Date.now() + (this.ahead ?? 0);
    for (const time of this.rows.querySelectorAll("time")) {
      write(time, age(now - Date.parse(time.dateTime)));
    }
  }

  // --- actions

  typed() {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.search(), SEARCH_AFTER_MS);
  }

  search() {
    clearTimeout(this.typing);
    this.typing = undefined;
    const { value } = this.field;
    if (value === this.searched && value === this.data.search) return;
    this.searched = value;
    this.isSearching = true;
    this.trigger("searched", value);
  }

  searchKey(event) {
    if (event.key === "ArrowDown") {
      event.preventDefault();
      this.rows.querySelector("button")?.focus();
    } else if (event.key === "Enter") this.search();
    else if (event.key === "Escape" && this.field.value) {
      event.preventDefault();
      this.field.value = "";
      this.search();
    }
  }

  /** Arrow keys go from entry to entry, and from the first one to the search. */
  rowKey(event) {
    const sibling = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    if (!sibling) return;
    event.preventDefault();
    const row = event.target.closest("li")[sibling];
    if (row) row.firstChild.focus();
    else if (event.key === "ArrowUp") this.field.focus();
  }

  pageKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const [target] = event.composedPath();
    const isFree = target === document.body || target.matches?.("[data-testid='stMain']");
    if (event.key === "ArrowDown" && isFree && this.rows.firstChild) {
      event.preventDefault();
      (this.rows.querySelector("[data-open]") ?? this.rows.querySelector("button")).focus();
    }
    if (event.key !== "/") return;
    if (target.matches?.("input, textarea, select, [contenteditable]")) return;
    event.preventDefault();
    event.stopPropagation();
    this.field.focus();
    this.field.select();
  }

  clicked(event) {
    const row = event.target.closest("li");
    if (!row) return;
    this.trigger("opened", row.dataset.reference);
    if (matchMedia(NARROW).matches) {
      document.querySelector(".st-key-qa_inbox_entry")?.scrollIntoView({ block: "start" });
    }
  }

  close() {
    window.removeEventListener("keydown", this.onKeyDown, { capture: true });
    this.stream?.close();
    this.poll(false);
    clearInterval(this.ages);
    clearTimeout(this.typing);
    clearTimeout(this.reporting);
  }
}

export default (component) => mount(Inbox, component);
