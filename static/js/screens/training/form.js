/* The form that starts a run: pictures, recipe, length; or labels and what may learn. */
import { sendFile } from "../../page/uploads.js";
import { sentenceOf } from "../../page/errors.js";
import { requestJson } from "../../page/scenes.js";
import { choice } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";

/* onstart(card) is called with the run that was started. */
export function startForm(onstart) {
  let kind = "pretraining",
    zip = null,
    view = null,
    presets = [],
    part = "head",
    busy = false;

  const field = (label, ...inputs) =>
    el("label", { class: "inside-field" }, el("span", { text: label }), ...inputs);
  const number = (value, min, max, label) =>
    el("input", {
      type: "number",
      value,
      min,
      max,
      step: 1,
      "aria-label": label,
      oninput: () => tell(),
    });
  const kinds = choice(
    "What to do",
    [
      ["pretraining", "Without labels"],
      ["fine-tuning", "With labels"],
    ],
    kind,
    (value) => {
      kind = value;
      tell();
    },
  );
  const file = el("input", {
    type: "file",
    accept: ".zip,application/zip",
    class: "inside-hidden",
    tabindex: "-1",
    "aria-label": "A zip of pictures",
    onchange: () => file.files[0] && upload(file.files[0]),
  });
  const choose = el("button", {
    type: "button",
    class: "inside-button",
    onclick: () => file.click(),
  });
  const samples = el("button", {
    type: "button",
    class: "inside-button",
    text: "Take the samples instead",
    onclick: () => {
      zip = null;
      tell();
    },
  });
  const pictures = el("p", { class: "inside-note", "aria-live": "polite" });
  const preset = el("select", {
    "aria-label": "Preset",
    onchange: () => {
      steps.value = chosen().steps;
      tell();
    },
  });
  const presetWords = el("p", { class: "inside-note" });
  const steps = number(400, 1, 100000, "Steps");
  const model = el("select", { "aria-label": "Starts from", onchange: () => tell() });
  const parts = choice(
    "What learns",
    [
      ["head", "A linear head"],
      ["blocks", "Last blocks"],
      ["all", "Everything"],
    ],
    part,
    (value) => {
      part = value;
      tell();
    },
  );
  const blocks = number(2, 1, 48, "Blocks"),
    epochs = el("input", {
      type: "number",
      min: 1,
      max: 1000,
      placeholder: "until nothing improves",
      "aria-label": "Epochs at most",
    });
  const batch = el("input", {
      type: "number",
      min: 1,
      max: 4096,
      placeholder: "as the preset says",
      "aria-label": "Pictures a step",
    }),
    seed = number(0, 0, 2 ** 31 - 1, "Seed");
  const knn = el("input", { type: "checkbox", checked: true }),
    own = el("input", { type: "checkbox", onchange: () => tell() });
  const knnLabel = el(
    "label",
    { class: "inside-tick" },
    knn,
    el("span", { text: "Measure k-NN accuracy with the zip's labels at each milestone" }),
  );
  const ownLabel = el(
    "label",
    { class: "inside-tick" },
    own,
    el("span", { text: "Follow my picture too. Everybody who watches this run will see it." }),
  );
  const start = el("button", {
    type: "button",
    class: "inside-button inside-start",
    text: "Start",
    onclick: () => begin(),
  });
  const problem = el("p", { class: "inside-problem", role: "alert", hidden: true });
  const unlabelled = el(
    "div",
    { class: "inside-fieldset" },
    field("Preset", preset),
    presetWords,
    field("Steps", steps),
  );
  const blocksField = field("Blocks", blocks),
    labelled = el(
      "div",
      { class: "inside-fieldset" },
      parts.node,
      blocksField,
      field("Epochs at most", epochs),
    );
  const modelField = field("Starts from", model);
  const node = el(
    "section",
    { class: "inside-form", "aria-label": "Start a run" },
    el("h2", { text: "Start a run" }),
    kinds.node,
    el("div", { class: "inside-controls" }, choose, samples, file),
    pictures,
    unlabelled,
    labelled,
    modelField,
    el(
      "details",
      { class: "inside-more" },
      el("summary", { text: "More" }),
      el(
        "div",
        { class: "inside-fieldset" },
        field("Pictures a step", batch),
        field("Seed", seed),
        knnLabel,
        ownLabel,
      ),
    ),
    problem,
    start,
  );

  const chosen = () => presets.find(({ name }) => name === preset.value) ?? presets[0];

  function say(text) {
    problem.hidden = !text;
    problem.textContent = text ?? "";
  }

  function tell() {
    const tuning = kind === "fine-tuning",
      classes = zip ? Object.keys(zip.classes) : [];
    unlabelled.hidden = tuning;
    labelled.hidden = !tuning;
    blocksField.hidden = part !== "blocks";
    samples.hidden = tuning || !zip;
    choose.textContent = zip ? "Another zip" : "Upload a zip of pictures";
    knnLabel.hidden = tuning || !classes.length;
    ownLabel.hidden = !view || Boolean(view.sample);
    modelField.hidden = !tuning && !chosen()?.needs_weights;
    pictures.textContent = zip
      ? `${zip.name}: ${zip.pictures} pictures${
          classes.length
            ? ` in ${classes.length} classes: ${classes
                .slice(0, 6)
                .map((name) => `${name} ${zip.classes[name]}`)
                .join(", ")}${classes.length > 6 ? ", …" : ""}`
            : ", without labels"
        }.`
      : tuning
        ? "A folder for each class in the zip, such as cats/1.jpg and dogs/1.jpg; or train/ and test/ around them."
        : "The samples that come with the project: enough to see the machinery turn, too few to learn from.";
    const preset_ = chosen();
    if (preset_)
      presetWords.textContent = preset_.fits
        ? `${preset_.name}: ${preset_.words}.`
        : `Too large for this machine: ${preset_.words}. Start it from the command line where the GPUs are.`;
    start.disabled = busy || (tuning ? !classes.length : !preset_?.fits);
  }

  async function upload(picked) {
    say(null);
    busy = true;
    tell();
    try {
      zip = await sendFile(
        `runs/pictures?name=${encodeURIComponent(picked.name)}`,
        picked,
        (share) => {
          pictures.textContent = `${picked.name}: ${percent(share, 0)} sent.`;
        },
      );
    } catch (error) {
      say(sentenceOf(error));
    }
    busy = false;
    file.value = "";
    tell();
  }

  async function begin() {
    const whole = (input) => (input.value === "" ? null : Number(input.value));
    say(null);
    busy = true;
    tell();
    try {
      const wanted = {
        kind,
        data: zip ? zip.token : "samples",
        preset: preset.value,
        steps: whole(steps),
        seed: whole(seed) ?? 0,
        part,
        blocks: whole(blocks) ?? 2,
        epochs: whole(epochs),
        batch: whole(batch),
        model: model.value,
        knn: knn.checked,
        probes: [view?.sample || "cat.jpg"],
        own_probe: own.checked && view && !view.sample ? view.key : null,
      };
      onstart(await requestJson("runs", { method: "POST", body: JSON.stringify(wanted) }));
    } catch (error) {
      say(sentenceOf(error));
    }
    busy = false;
    tell();
  }

  return {
    node,
    /* What there is to choose from. */
    offer(answer) {
      if (presets.length) return;
      presets = answer.presets;
      preset.replaceChildren(
        ...presets.map(({ name, fits }) =>
          el("option", { value: name, text: fits ? name : `${name} (needs GPUs)` }),
        ),
      );
      model.replaceChildren(
        ...answer.models.map(([name, label]) => el("option", { value: name, text: label })),
      );
      steps.value = presets[0].steps;
      tell();
    },
    follow(next) {
      view = next;
      if ([...model.options].some(({ value }) => value === view.model)) model.value = view.model;
      tell();
    },
    get state() {
      return {
        kind,
        zip: zip?.name ?? null,
        pictures: zip?.pictures ?? null,
        problem: problem.hidden ? null : problem.textContent,
      };
    },
  };
}
