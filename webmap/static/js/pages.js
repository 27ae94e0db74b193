/** What the pages add for a reader with scripts: places lit up from the text and back, copying. */

import { bindCopying } from "./copying.js";
import { bindLighting } from "./lighting.js";

bindLighting();
bindCopying();
