/* Rules for the page's scripts: `npm run lint`. */
import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["node_modules", "types"] },
  js.configs.recommended,
  {
    languageOptions: { globals: globals.browser },
    rules: {
      complexity: ["error", 12],
      eqeqeq: "error",
      "max-len": ["error", { code: 110, ignoreUrls: true }],
      "max-lines-per-function": ["error", { max: 80, skipBlankLines: true, skipComments: true }],
      "no-shadow": "error",
      "no-var": "error",
      "prefer-const": "error",
    },
  },
  { files: ["test/**", "*.config.js"], languageOptions: { globals: globals.node } },
];
