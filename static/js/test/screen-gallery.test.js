/* The whole screen of gallery: told/gallery.txt. */
import { tellWhole } from "./whole-screen.js";
import { test } from "node:test";
import { PICTURES } from "./pictures.js";
import "../screens/gallery/index.js";

test("the screen of gallery does what is written of it", () =>
  tellWhole("gallery", { views: PICTURES }));
