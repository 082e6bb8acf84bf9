// What the page was built with: facts of the page, numbers of the network, courses, the network's program.

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const PAGE = read("page-data"), MODEL = read("model-data"), STUDIES = read("study-data");
const BINARY = Uint8Array.from(atob(document.getElementById("binary").textContent.trim()), (c) => c.charCodeAt(0));
