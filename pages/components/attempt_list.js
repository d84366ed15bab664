// A table whose rows open. See attempt_list.py for the data.

class AttemptList {
  constructor() {
    this.head = make("tr", { role: "row" });
    this.body = make("tbody", { role: "rowgroup" });
    const head = make("thead", { role: "rowgroup" }, this.head);
    // In a narrow column the rows are no table rows for the browser: the roles keep the meaning.
    this.table = make("table", { role: "table", "aria-label": "Attempts" }, head, this.body);
    this.root = make("div", { className: "root" }, this.table);
    this.body.addEventListener("click", (event) => this.clicked(event));
    this.body.addEventListener("keydown", (event) => this.move(event));
  }

  update({ data, setTriggerValue }) {
    this.open = (attempt) => setTriggerValue("opened", attempt);
    if (data === this.data) return;
    this.data = data;
    this.head.replaceChildren(
      ...data.columns.map(({ name, heading }) =>
        make("th", { className: name, scope: "col", role: "columnheader" }, heading),
      ),
    );
    this.body.replaceChildren(...data.rows.map((row) => this.row(row)));
  }

  row({ attempt, state, mark, cells }) {
    const parts = this.data.columns.map(({ name, heading }) => {
      const text = cells[name] || "–";
      const cell = make("td", { className: cells[name] ? name : `${name} empty`, role: "cell" });
      if (name === "to") cell.append(make("a", { href: `attempts?attempt=${attempt}` }, text));
      else if (name === "state") {
        cell.append(make("span", { className: `mark ${state}`, "aria-hidden": "true" }, mark), ` ${text}`);
      } else cell.append(text);
      cell.dataset.heading = heading;
      return cell;
    });
    const row = make("tr", { role: "row" }, ...parts);
    row.dataset.attempt = attempt;
    return row;
  }

  clicked(event) {
    const isLink = event.target.closest("a") !== null;
    // On a link, any other click opens a new tab or window; a person who marks text opens nothing.
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (!isLink && !getSelection().isCollapsed) return;
    event.preventDefault();
    this.open(event.target.closest("tr").dataset.attempt);
  }

  /** Arrow keys go from row to row. */
  move(event) {
    const sibling = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    const row = sibling && event.target.closest("tr")[sibling];
    if (!row) return;
    event.preventDefault();
    row.querySelector("a").focus();
  }

  close() {}
}

export default (component) => mount(AttemptList, component);
