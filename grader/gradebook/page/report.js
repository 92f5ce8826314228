"use strict";
// The table of results, and what a click on it shows. All text goes into the page as text.
(() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent);
  const { students, exercises, misconceptions } = data;
  const frame = $("frame"), dialog = $("dialog");
  const LETTERS = { passed: "", wrong: "F", todo: "t", error: "E", timeout: "T", memory: "M", blocked: "B" };
  const STOPPED = new Set(["timeout", "memory", "blocked"]);
  const NAME = -2, TOTAL = -1; // columns that are no exercise
  const HEADING = -1; // the row of headings

  function make(tag, properties = {}, ...children) {
    const { dataset, ...rest } = properties;
    const element = Object.assign(document.createElement(tag), rest);
    Object.assign(element.dataset, dataset);
    element.append(...children);
    return element;
  }

  // --- Colours -----------------------------------------------------------------------------------

  const theme = $("theme");
  function remembered() {
    try { return localStorage.getItem("theme") || ""; } catch { return ""; } // none in a file, for some
  }
  function paint(value) {
    if (value) document.documentElement.dataset.theme = value;
    else delete document.documentElement.dataset.theme;
  }
  theme.value = remembered();
  paint(theme.value);
  theme.addEventListener("change", () => {
    paint(theme.value);
    try { localStorage.setItem("theme", theme.value); } catch { /* so it is for now only */ }
  });

  // --- Which rows and columns, in which order ----------------------------------------------------

  const share = (total) => (total && total[1] ? total[0] / total[1] : -1);
  const kindOf = (student, exercise) => exercises[exercise].kinds[exercises[exercise].cells[student]];
  const collator = new Intl.Collator(undefined, { numeric: true });
  const byName = students.map((_, i) => i).sort((a, b) => collator.compare(students[a], students[b]));
  const place = []; // in the order of names
  byName.forEach((student, i) => { place[student] = i; });
  const folded = students.map((name) => name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase());

  let columns = [];
  let rows = [];
  let sort = { column: NAME, down: false };

  function fill(select, options) {
    for (const [value, text] of options) select.append(make("option", { value, textContent: text }));
  }
  const lessons = [...new Set(exercises.map((e) => e.lesson))];
  const outcomes = new Set(exercises.flatMap((e) => e.kinds.map((k) => k[2])));
  fill($("by-lesson"), lessons.map((name) => [name, name]));
  fill($("by-points"), [
    ["100", "100 %"], ...[9, 8, 7, 6, 5, 4, 3, 2, 1, 0].map((i) => [`${i}0`, `${i}0–${i}9 %`]), ["none", "not graded"],
  ]);
  fill($("by-outcome"), Object.keys(LETTERS).filter((o) => outcomes.has(o)).map((o) => [o, o]));
  fill($("by-misconception"), misconceptions.map((name, i) => [i, name]).sort((a, b) => collator.compare(a[1], b[1])));
  fill($("sorted"), [[NAME, "name"], [TOTAL, "total"], ...exercises.map((e, i) => [i, e.name])]);

  function points(student, column) {
    if (column === TOTAL) return share(data.totals[student]);
    const kind = kindOf(student, column);
    return kind ? kind[0] / (kind[1] || 1) - (kind[2] === "todo" ? 0.001 : 0) : -1;
  }

  function arrange() {
    const lesson = $("by-lesson").value, outcome = $("by-outcome").value;
    const misconception = $("by-misconception").value, band = $("by-points").value;
    const words = $("by-name").value.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().split(/\s+/).filter(Boolean);
    const shown = [...exercises.keys()].filter((i) => !lesson || exercises[i].lesson === lesson);
    columns = [NAME, TOTAL, ...shown];
    if (!columns.includes(sort.column)) sort = { column: NAME, down: false };
    rows = byName.filter((student) => {
      if (!words.every((word) => folded[student].includes(word))) return false;
      if (band) {
        const s = share(data.totals[student]);
        if (band === "none" ? s >= 0 : s < 0 || (s >= 1 ? 10 : Math.floor(s * 10)) !== band / 10) return false;
      }
      if (!outcome && !misconception) return true;
      return shown.some((i) => {
        const kind = kindOf(student, i);
        return kind && (!outcome || kind[2] === outcome) && (!misconception || kind[3].includes(+misconception));
      });
    });
    if (sort.column !== NAME) {
      const values = new Map(rows.map((student) => [student, points(student, sort.column)]));
      rows.sort((a, b) => values.get(a) - values.get(b) || place[a] - place[b]);
    }
    if (sort.down) rows.reverse();
    $("sorted").value = sort.column;
  }

  // --- The grid: the ARIA pattern of that name, with rows made as they come into view -------------

  let active = { row: 0, column: 0 }; // an index of `rows` or HEADING, an index of `columns`
  let body, head, height;
  let made = new Map(); // index of `rows` -> its row, for those in view and a few more
  let span = [0, 0];
  const title = (column) => (column === NAME ? "student" : column === TOTAL ? "total" : exercises[column].name);

  function table() {
    const groups = make("tr", { className: "lessons" });
    groups.append(make("td"), make("td"));
    for (const lesson of lessons) {
      const colSpan = columns.filter((c) => c >= 0 && exercises[c].lesson === lesson).length;
      if (colSpan) groups.append(make("th", { scope: "colgroup", colSpan, textContent: lesson, title: lesson }));
    }
    head = make("tr", { className: "sorts" });
    columns.forEach((column, i) => {
      const cell = make("th", { scope: "col", className: column < 0 ? "" : "upright", tabIndex: -1, dataset: { column: i } },
        make("span", { textContent: title(column) }));
      if (column >= 0) cell.title = `${exercises[column].lesson}: ${title(column)}, ${exercises[column].max} points`;
      head.append(cell);
    });
    body = make("tbody");
    made = new Map();
    const cols = make("colgroup", {}, ...columns.map((c) => make("col", { className: c === NAME ? "name" : c === TOTAL ? "total" : "exercise" })));
    const grid = make("table", { className: "grid", id: "grid" }, cols, make("thead", {}, groups, head), body);
    grid.style.setProperty("--exercises", columns.length - 2);
    grid.setAttribute("role", "grid");
    grid.setAttribute("aria-label", "Results");
    grid.setAttribute("aria-describedby", "how");
    grid.setAttribute("aria-readonly", "true");
    grid.setAttribute("aria-rowcount", rows.length + 2);
    frame.replaceChildren(grid);
    if (!rows.length) frame.append(make("p", { className: "empty", textContent: "No student fits." }));
    // On phones they are higher.
    height = parseFloat(getComputedStyle(document.documentElement).fontSize) * (matchMedia("(max-width: 40rem)").matches ? 2 : 1.75);
    for (const cell of head.children) {
      const column = columns[cell.dataset.column];
      if (column === sort.column) cell.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
    }
  }

  function cellFor(student, column) {
    if (column === NAME) return make("th", { scope: "row", textContent: students[student], title: students[student] });
    if (column === TOTAL) {
      const total = data.totals[student];
      const cell = make("td", { className: "total", textContent: total ? `${total[0]}/${total[1]}` : "–" });
      cell.setAttribute("aria-label", total ? `${total[0]} of ${total[1]} points` : "not graded");
      return cell;
    }
    const kind = kindOf(student, column), name = exercises[column].name;
    if (!kind) {
      const cell = make("td", { textContent: "–" });
      cell.setAttribute("aria-label", `${name}: not handed in`);
      return cell;
    }
    const [got, most, outcome, named] = kind;
    const level = outcome === "todo" && !got ? "todo" : got >= most && outcome === "passed" ? "full" : !got ? "none" : 2 * got >= most ? "high" : "low";
    const cell = make("td", { className: `s-${level}${STOPPED.has(outcome) ? " s-failed" : ""}` }, String(got));
    if (LETTERS[outcome]) cell.append(make("b", { textContent: LETTERS[outcome] }));
    const words = `${name}: ${got} of ${most} points, ${outcome === "todo" ? "to do" : outcome}`;
    cell.setAttribute("aria-label", [words, ...named.map((m) => misconceptions[m])].join(". "));
    return cell;
  }

  function rowFor(index) {
    const row = make("tr");
    row.setAttribute("aria-rowindex", index + 3);
    columns.forEach((column, i) => {
      const cell = cellFor(rows[index], column);
      cell.tabIndex = -1;
      Object.assign(cell.dataset, { row: index, column: i });
      row.append(cell);
    });
    return row;
  }

  const cellAt = (row, column) =>
    row === HEADING ? head.children[column] : body.querySelector(`[data-row="${row}"][data-column="${column}"]`);

  function show(everything = false) {
    const hadFocus = frame.contains(document.activeElement) && document.activeElement !== frame;
    const above = Math.floor((frame.scrollTop - head.parentElement.offsetHeight) / height);
    const first = everything ? 0 : Math.max(0, Math.min(above - 5, rows.length - 1));
    const fits = Math.ceil(frame.clientHeight / height) + 12;
    const last = everything ? rows.length : Math.min(rows.length, first + fits);
    span = [first, last];
    const before = made;
    made = new Map();
    for (let i = first; i < last; i++) made.set(i, before.get(i) ?? rowFor(i));
    body.style.setProperty("--above", `${first * height}px`);
    body.style.setProperty("--below", `${(rows.length - last) * height}px`);
    for (const [i, row] of before) if (!made.has(i)) row.remove();
    let next = null;
    for (const row of [...made.values()].reverse()) {
      if (!row.parentNode) body.insertBefore(row, next);
      next = row;
    }
    if (active.row !== HEADING) active.row = Math.max(first, Math.min(active.row, last - 1));
    if (!rows.length) active.row = HEADING;
    active.column = Math.min(active.column, columns.length - 1);
    rove(hadFocus);
  }

  function rove(focus) {
    for (const cell of frame.querySelectorAll('[tabindex="0"]')) cell.tabIndex = -1;
    const cell = cellAt(active.row, active.column);
    if (!cell) return;
    cell.tabIndex = 0;
    if (focus) cell.focus({ preventScroll: true });
  }

  function moveTo(row, column) {
    active = { row: Math.max(HEADING, Math.min(row, rows.length - 1)), column: Math.max(0, Math.min(column, columns.length - 1)) };
    if (active.row !== HEADING) {
      const top = active.row * height, header = head.parentElement.offsetHeight;
      if (top < frame.scrollTop) frame.scrollTop = top;
      if (top + height > frame.scrollTop + frame.clientHeight - header) frame.scrollTop = top + height - frame.clientHeight + header;
      if (active.row < span[0] || active.row >= span[1]) show();
    }
    const cell = cellAt(active.row, active.column);
    if (cell && active.column > 0) {
      const left = cell.offsetLeft - head.firstElementChild.offsetWidth;
      if (left < frame.scrollLeft) frame.scrollLeft = left;
      const over = cell.offsetLeft + cell.offsetWidth - frame.clientWidth;
      if (over > frame.scrollLeft) frame.scrollLeft = over;
    }
    rove(true);
  }

  function refresh() {
    arrange();
    table();
    frame.scrollTop = 0;
    show();
    const count = rows.length === students.length ? `${rows.length}` : `${rows.length} of ${students.length}`;
    $("status").textContent = `${count} students, sorted by ${title(sort.column)}${sort.down ? ", in reverse" : ""}.`;
  }

  function sortBy(column) {
    sort = { column, down: sort.column === column ? !sort.down : false };
    const focused = frame.contains(document.activeElement);
    refresh();
    if (focused) moveTo(HEADING, columns.indexOf(column));
  }

  let due = 0;
  frame.addEventListener("scroll", () => {
    if (due) return;
    due = requestAnimationFrame(() => {
      due = 0;
      const visible = Math.floor(frame.scrollTop / height);
      const ends = visible + Math.ceil(frame.clientHeight / height);
      if (visible < span[0] || Math.min(ends, rows.length) > span[1]) show();
    });
  }, { passive: true });

  frame.addEventListener("click", (event) => {
    const cell = event.target.closest("[data-column]");
    if (!cell) return;
    const column = Number(cell.dataset.column);
    if (cell.dataset.row === undefined) return sortBy(columns[column]);
    moveTo(Number(cell.dataset.row), column);
    open(rows[active.row], columns[column], cell);
  });

  frame.addEventListener("keydown", (event) => {
    if (event.altKey || event.metaKey || !event.target.closest("[data-column]")) return;
    const { row, column } = active, page = Math.max(1, Math.floor(frame.clientHeight / height) - 8);
    const to = {
      ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1],
      PageUp: [Math.max(0, row - page), column], PageDown: [row + page, column],
      Home: event.ctrlKey ? [0, 0] : [row, 0], End: event.ctrlKey ? [rows.length - 1, columns.length - 1] : [row, columns.length - 1],
    }[event.key];
    if (to) moveTo(...to);
    else if (event.key === "Enter" || event.key === " ") {
      if (row === HEADING) sortBy(columns[column]);
      else open(rows[row], columns[column], event.target);
    } else return;
    event.preventDefault();
  });

  for (const id of ["by-lesson", "by-points", "by-outcome", "by-misconception"]) $(id).addEventListener("change", refresh);
  $("by-name").addEventListener("input", refresh);
  $("sorted").addEventListener("change", (event) => { sort = { column: Number(event.target.value), down: false }; refresh(); });
  $("turn").addEventListener("click", () => { sort.down = !sort.down; refresh(); });
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  $("filters").addEventListener("reset", () => { sort = { column: NAME, down: false }; setTimeout(refresh); });
  addEventListener("resize", () => { table(); show(); });
  addEventListener("beforeprint", () => show(true));
  addEventListener("afterprint", () => show());

  // --- One cell, or one student -------------------------------------------------------------------

  const unpacked = new Map();
  function unpack(id) {
    if (!unpacked.has(id)) {
      const bytes = Uint8Array.from(atob($(id).textContent), (c) => c.charCodeAt(0));
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
      unpacked.set(id, new Response(stream).json());
    }
    return unpacked.get(id);
  }

  let at = { student: 0, column: NAME }; // what is shown
  let opener = null, opened = at; // the element that has opened the dialog, and what it showed first
  const outcomeOf = (outcome) => make("span", { className: `outcome ${outcome}`, textContent: outcome });

  // What stands between backticks is code.
  const prose = (text) => text.split("`").map((part, i) => (i % 2 ? make("code", { textContent: part }) : part));

  // As far as the first blank line it is ours, then it may be a student's.
  const feedback = (text) => text.split("\n").flatMap((line, i, lines) =>
    [...(i < lines.indexOf("") || line.startsWith("Stuck? ") ? prose(line) : [line]), "\n"]);

  function code(lines, texts, named) {
    const inner = make("div");
    for (const [number, text] of lines) {
      inner.append(make("div", { className: `line${number ? "" : " left-out"}${named.has(number) ? " named" : ""}` },
        make("span", { className: "n", textContent: number || "", ariaHidden: "true" }),
        make("span", { textContent: texts[text] || " " })));
    }
    const region = make("div", { className: "code", tabIndex: 0 }, inner);
    region.setAttribute("role", "group");
    region.setAttribute("aria-label", "Code");
    return region;
  }

  async function answer(student, number) {
    const kind = kindOf(student, number), parts = [];
    if (!kind) return [make("p", { textContent: "Not handed in." }), ...remarks(student)];
    const lesson = exercises[number].lesson;
    const [chunk, printed] = await Promise.all([unpack(`exercise${number}`), unpack(`printed-${lesson}`)]);
    const [results, codeNumber] = chunk.cells[student];
    const left = make("div"), right = make("div"), named = new Set(), said = new Set();
    left.append(make("p", {}, outcomeOf(kind[2]), ` ${kind[0]} of ${kind[1]} points`));
    for (const [check, outcome, got, most, text] of chunk.results[results]) {
      const [heading, think, words, lines] = chunk.texts[text];
      lines.forEach((line) => named.add(line));
      const section = make("section", { className: "check" }, make("h3", {}, check, outcomeOf(outcome), make("span", { className: "quiet", textContent: `${got}/${most}` })));
      if (heading) section.append(make("div", { className: "looks" }, make("strong", {}, ...prose(heading)), ...(think ? [make("p", {}, ...prose(think))] : [])));
      if (words && !words.includes("\n")) section.append(make("p", { textContent: words }));
      else if (words && said.has(words)) section.append(make("p", { className: "quiet", textContent: "The same as above." }));
      else if (words) section.append(make("pre", {}, ...feedback(words)));
      said.add(words);
      left.append(section);
    }
    const lines = chunk.codes[codeNumber];
    right.append(make("h3", { textContent: `${lesson}.py` }));
    right.append(lines.length ? code(lines, chunk.lines, named) : make("p", { textContent: `There is no ${exercises[number].name} in it.` }));
    if (printed[student]) right.append(make("h3", { textContent: "Printed, by the whole lesson" }), make("pre", { textContent: printed[student] }));
    parts.push(make("div", { className: "beside" }, left, right));
    return parts;
  }

  function remarks(student) {
    if (!data.remarks[student].length) return [];
    return [make("h3", { textContent: "Remarks" }), make("ul", {}, ...data.remarks[student].map((text) => make("li", { textContent: text })))];
  }

  function overview(student) {
    const total = data.totals[student];
    const parts = [make("p", { textContent: total ? `${total[0]} of ${total[1]} points` : "Not graded." }), ...remarks(student)];
    const list = make("tbody");
    exercises.forEach((exercise, number) => {
      const kind = kindOf(student, number);
      if (!kind) return;
      const button = make("button", { type: "button", className: "link", textContent: exercise.name });
      button.addEventListener("click", () => turnTo(student, number));
      list.append(make("tr", {}, make("th", { scope: "row" }, button), make("td", { textContent: exercise.lesson }), make("td", {}, outcomeOf(kind[2])),
        make("td", { className: "number", textContent: `${kind[0]}/${kind[1]}` }), make("td", { textContent: kind[3].map((m) => misconceptions[m]).join("; ") })));
    });
    if (list.children.length) {
      const heads = ["exercise", "lesson", "outcome", "points", "looks like"].map((text) => make("th", { scope: "col", textContent: text, className: text === "points" ? "number" : "" }));
      const region = make("div", { className: "scroll", tabIndex: 0 }, make("table", { className: "list" }, make("thead", {}, make("tr", {}, ...heads)), list));
      region.setAttribute("role", "group");
      region.setAttribute("aria-label", "Exercises");
      parts.push(region);
    }
    return parts;
  }

  async function turnTo(student, column) {
    at = { student, column };
    const row = rows.indexOf(student), index = columns.indexOf(column);
    $("previous-student").disabled = row <= 0;
    $("next-student").disabled = row < 0 || row === rows.length - 1;
    $("previous-exercise").disabled = column < 0 || index <= 2;
    $("next-exercise").disabled = index < 0 || index === columns.length - 1;
    let parts;
    try {
      parts = column < 0 ? overview(student) : await answer(student, column);
    } catch (problem) {
      parts = [make("p", { className: "warning", textContent: `This browser cannot show it (${problem.message}). A newer one can.` })];
    }
    if (at.student !== student || at.column !== column) return; // gone on meanwhile
    const heading = $("dialog-title");
    heading.textContent = column < 0 ? students[student] : `${students[student]}: ${exercises[column].name}`;
    $("dialog-body").replaceChildren(...parts);
    dialog.scrollTop = 0;
    if (!dialog.open) dialog.showModal();
    if (!dialog.contains(document.activeElement) || document.activeElement.disabled) heading.focus();
  }

  function open(student, column, from) {
    opener = from;
    opened = { student, column: column === TOTAL ? NAME : column };
    return turnTo(student, opened.column);
  }

  function step(rowBy, columnBy) {
    const row = rows.indexOf(at.student) + rowBy, column = Math.max(0, columns.indexOf(at.column)) + columnBy;
    turnTo(rows[row], columns[column]);
  }
  $("previous-student").addEventListener("click", () => step(-1, 0));
  $("next-student").addEventListener("click", () => step(1, 0));
  $("previous-exercise").addEventListener("click", () => step(0, -1));
  $("next-exercise").addEventListener("click", () => step(0, 1));
  $("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  // The browser gives the focus back to `opener`. In the table it goes where one has turned to.
  dialog.addEventListener("close", () => {
    const isThere = opener.isConnected && at.student === opened.student && at.column === opened.column;
    if (isThere || (opener.isConnected && !frame.contains(opener))) return;
    const row = rows.indexOf(at.student);
    if (row >= 0) moveTo(row, Math.max(0, columns.indexOf(at.column)));
  });

  // --- The rest of the page -----------------------------------------------------------------------

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-student], button[data-misconception]");
    if (!button) return;
    if (button.dataset.misconception === undefined) {
      open(Number(button.dataset.student), button.dataset.exercise === "" ? NAME : Number(button.dataset.exercise), button);
      return;
    }
    $("filters").reset();
    $("by-misconception").value = button.dataset.misconception;
    setTimeout(() => { refresh(); $("results").scrollIntoView(); moveTo(0, 0); });
  });

  for (const list of document.querySelectorAll("table.sortable")) {
    const headings = [...list.tHead.rows[0].cells];
    headings.forEach((heading, i) => heading.firstElementChild.addEventListener("click", () => {
      const down = heading.getAttribute("aria-sort") === "ascending";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      const value = (row) => row.cells[i].dataset.value ?? row.cells[i].textContent;
      const compare = (a, b) => (isNaN(a) || isNaN(b) ? collator.compare(a, b) : a - b);
      const sorted = [...list.tBodies[0].rows].sort((a, b) => compare(value(a), value(b)));
      list.tBodies[0].append(...(down ? sorted.reverse() : sorted));
    }));
  }

  refresh();
  document.documentElement.dataset.ready = "";
})();
