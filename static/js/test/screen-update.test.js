/* The whole screen of update: told/update.txt. */
import { tellWhole } from "./whole-screen.js";
import { test } from "node:test";
import { PICTURES } from "./pictures.js";
import "../screens/update/index.js";

test("the screen of update does what is written of it", () =>
  tellWhole("update", { views: PICTURES }));
