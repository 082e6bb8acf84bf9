// Boots the page: data out of the document, the four parts, the theme, and redrawing when the width changes.

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const PAGE = read("page-data"), MODEL = read("model-data"), STUDIES = read("study-data");
const BINARY = Uint8Array.from(atob(document.getElementById("binary").textContent.trim()), (c) => c.charCodeAt(0));
