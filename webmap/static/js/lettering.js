/** Measure and break the text of labels; the style sheet holds their type. */

const canvas = document.createElement("canvas").getContext("2d");
const styles = new Map();
const CJK = /[　-鿿가-힯]/;

/** Return `{font, size, spacing}` of a class of label as the style sheet sets it. */
export function styleOf(className, root) {
  const key = `${className} ${document.documentElement.lang}`;
  if (!styles.has(key)) {
    const probe = document.createElementNS("http://www.w3.org/2000/svg", "text");
    probe.setAttribute("class", `label ${className}`);
    root.append(probe);
    const style = getComputedStyle(probe);
    const size = Number.parseFloat(style.fontSize);
    styles.set(key, {
      font: `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`,
      size,
      spacing: Number.parseFloat(style.letterSpacing) || 0,
    });
    probe.remove();
  }
  return styles.get(key);
}

/** Return the lines of a text, each at most about `limit` pixels wide, and the size of them all. */
export function setText(text, style, limit) {
  canvas.font = style.font;
  const widthOf = (line) => canvas.measureText(line).width + style.spacing * Math.max(0, [...line].length - 1);
  const count = Math.ceil(widthOf(text) / limit);
  const lines = count > 1 ? breakLines(text, count, widthOf) : [text];
  const lineHeight = Math.round(style.size * 1.2);
  return { lines, lineHeight, width: Math.max(...lines.map(widthOf)), height: lines.length * lineHeight };
}

/** Break into lines of like width: between words, or between characters where there are no spaces. */
function breakLines(text, count, widthOf) {
  if (!text.includes(" ") && CJK.test(text)) {
    const characters = [...text];
    const size = Math.ceil(characters.length / count);
    return Array.from({ length: count }, (_, index) => characters.slice(index * size, (index + 1) * size).join(""));
  }
  const aim = widthOf(text) / count;
  const lines = [""];
  for (const word of text.split(/(?<=[ –-])/)) {
    const current = lines.at(-1);
    const over = widthOf(current + word.trimEnd()) - aim;
    if (current && over > aim - widthOf(current)) lines.push(word);
    else lines[lines.length - 1] = current + word;
  }
  return lines.map((line) => line.trim());
}
