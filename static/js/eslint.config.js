import js from "@eslint/js";
import globals from "globals";
export default [
  { ignores: ["node_modules", "types"] },
  js.configs.recommended,
  { languageOptions: { globals: globals.browser } },
];
