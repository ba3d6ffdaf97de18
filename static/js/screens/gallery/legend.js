/* What the colours of the map mean: a chip for each group, pressed to see it alone. */
import { el } from "../../ui/dom.js";
import { colourOf } from "./plane.js";

/* onchoose(group | null) */
export function groupLegend(onchoose) {
  let pressed = null;
  const node = el("div", {
    class: "inside-chips inside-gallery-legend",
    role: "group",
    "aria-label": "Groups: press one to see it alone",
  });

  return {
    node,
    /* groups: int per picture, -1 for none; names of the groups; what -1 means. */
    show(groups, names, none) {
      const counts = new Map();
      for (const group of groups) counts.set(group, (counts.get(group) ?? 0) + 1);
      pressed = null;
      node.replaceChildren(
        ...[...counts]
          .sort(([a], [b]) => (a < 0) - (b < 0) || a - b)
          .map(([group, count]) =>
            el(
              "button",
              {
                type: "button",
                "data-group": group,
                "aria-pressed": "false",
                title: "Show this group alone",
                onclick: () => onchoose(pressed === group ? null : group),
              },
              el("i", { style: `background:rgb(${colourOf(group)})` }),
              el("span", { text: group < 0 ? none : (names[group] ?? `Cluster ${group + 1}`) }),
              el("small", { text: String(count) }),
            ),
          ),
      );
    },
    press(group) {
      pressed = group;
      node
        .querySelectorAll("button")
        .forEach((chip) =>
          chip.setAttribute(
            "aria-pressed",
            String(Number(chip.dataset.group) === group && group !== null),
          ),
        );
    },
  };
}
