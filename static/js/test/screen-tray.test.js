/* The whole screen of tray: told/tray.txt. */
import { tellWhole } from "./whole-screen.js";
import { test } from "node:test";
import { PICTURES } from "./pictures.js";
import "../screens/tray/index.js";

test("the screen of tray does what is written of it", () =>
  tellWhole("tray", { views: PICTURES, each: 60 }));
