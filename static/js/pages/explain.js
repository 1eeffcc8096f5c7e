import { enhanceInside } from "../features/look-inside.js";

enhanceInside(document.querySelector("[data-inside]"));
