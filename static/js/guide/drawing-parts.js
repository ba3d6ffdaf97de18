/* What is in the drawing of the model, and where: boxes and arrows in units of the drawing. */

export const WIDTH = 1120;
export const HEIGHT = 516;
export const ABOVE = 44; // where the drawing begins

/**
 * @typedef {object} Part
 * @property {string} name
 * @property {string} screen that it opens
 * @property {"data" | "student" | "teacher" | "loss"} side
 * @property {[x: number, y: number, width: number, height: number]} box
 * @property {string[]} lines shapes; {screen.name} is a number of the visitor's own
 */
/**
 * @typedef {object} Arrow
 * @property {string} way path of an SVG
 * @property {string} words "" for none
 * @property {[number, number]} at where they stand
 * @property {"data" | "average"} kind
 */

const [TOP, BOTTOM, BOX] = [70, 370, 82]; // of the rows of student and teacher; height of a box

/** @type {Part[]} */
export const PARTS = [
  {
    name: "Picture",
    screen: "tokens",
    side: "data",
    box: [20, 225, 130, 82],
    lines: ["{picture.width} × {picture.height} px", "{picture.patches} patches"],
  },
  {
    name: "Crops",
    screen: "crops",
    side: "data",
    box: [190, 225, 130, 82],
    lines: ["{cut.globals} × {cut.wide} px", "{cut.locals} × {cut.narrow} px"],
  },
  {
    name: "Masks",
    screen: "masks",
    side: "student",
    box: [360, TOP, 130, BOX],
    lines: ["{masks.achieved} of {masks.patches}", "patches hidden"],
  },
  {
    name: "Patch embedding",
    screen: "tokens",
    side: "student",
    box: [520, TOP, 160, BOX],
    lines: [
      "{cut.globals} × {cut.widetokens} × {picture.dim}",
      "{cut.locals} × {cut.narrowtokens} × {picture.dim}",
    ],
  },
  {
    name: "Blocks",
    screen: "attention",
    side: "student",
    box: [710, TOP, 130, BOX],
    lines: ["{picture.layers} blocks", "{picture.heads} heads of {picture.headdim}"],
  },
  {
    name: "Heads",
    screen: "losses",
    side: "student",
    box: [880, TOP, 110, BOX],
    lines: ["K = {losses.k}", "at τ = {losses.soft}"],
  },
  {
    name: "Patch embedding",
    screen: "tokens",
    side: "teacher",
    box: [520, BOTTOM, 160, BOX],
    lines: ["{cut.globals} × {cut.widetokens} × {picture.dim}", "nothing hidden"],
  },
  {
    name: "Blocks",
    screen: "attention",
    side: "teacher",
    box: [710, BOTTOM, 130, BOX],
    lines: ["{picture.layers} blocks", "{picture.heads} heads of {picture.headdim}"],
  },
  {
    name: "Heads",
    screen: "losses",
    side: "teacher",
    box: [880, BOTTOM, 110, BOX],
    lines: ["{losses.by}", "at τ = {losses.hot}"],
  },
  {
    name: "Losses",
    screen: "losses",
    side: "loss",
    box: [940, 208, 160, 116],
    lines: [
      "DINO {losses.dino}",
      "iBOT {losses.ibot}",
      "KoLeo {losses.koleo}",
      "sum {losses.total} nats",
    ],
  },
  {
    name: "Moving average",
    screen: "update",
    side: "teacher",
    box: [695, 226, 160, 80],
    lines: ["m = {update.momentum}", "no gradient"],
  },
  {
    name: "Features",
    screen: "features",
    side: "data",
    box: [355, 486, 140, 64],
    lines: ["{picture.patches} × {picture.dim}"],
  },
  {
    name: "Many pictures",
    screen: "gallery",
    side: "data",
    box: [185, 486, 145, 64],
    lines: ["one vector each"],
  },
  {
    name: "What if",
    screen: "whatif",
    side: "data",
    box: [865, 486, 112, 64],
    lines: ["parts switched off"],
  },
  {
    name: "One step",
    screen: "step",
    side: "data",
    box: [992, 486, 112, 64],
    lines: ["line by line"],
  },
  {
    name: "A run",
    screen: "training",
    side: "data",
    box: [20, 486, 130, 64],
    lines: ["step after step"],
  },
];

/** @type {Arrow[]} */
export const ARROWS = [
  { way: "M150 266H188", words: "", at: [0, 0], kind: "data" },
  { way: "M320 252H340V116H358", words: "all crops", at: [330, 98], kind: "data" },
  { way: "M320 282H340V416H518", words: "global crops alone", at: [430, 404], kind: "data" },
  { way: "M490 116H518", words: "", at: [0, 0], kind: "data" },
  { way: "M680 116H708", words: "", at: [0, 0], kind: "data" },
  { way: "M840 116H878", words: "", at: [0, 0], kind: "data" },
  { way: "M680 416H708", words: "", at: [0, 0], kind: "data" },
  { way: "M840 416H878", words: "", at: [0, 0], kind: "data" },
  { way: "M990 116H1020V206", words: "student's answer", at: [1050, 98], kind: "data" },
  { way: "M990 416H1020V326", words: "teacher's target", at: [1050, 444], kind: "data" },
  { way: "M775 152V224", words: "", at: [0, 0], kind: "average" },
  { way: "M775 306V368", words: "", at: [0, 0], kind: "average" },
  { way: "M775 452V518H497", words: "what is used afterwards", at: [640, 510], kind: "data" },
  { way: "M355 518H332", words: "", at: [0, 0], kind: "data" },
  {
    way: "M940 250H880V196H600V154",
    words: "gradients",
    at: [690, 190],
    kind: "average",
  },
];
