/* What a newcomer sees while Gradio is still on its way: the strip and the first screen, drawn from
   stored numbers on a stage that the page brings along. Who follows a link to another picture or
   screen has no stage. */
import "./core.js";
import "./strip.js";
import "./attention.js";

const stage = document.getElementById("inside-stage");
if (stage) window.Inside.perform(stage, window.INSIDE.first);
