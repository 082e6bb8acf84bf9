// What the page was built with: facts of the page, numbers of the network and of the pair, courses, both programs.

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const PAGE = read("page-data"), MODEL = read("model-data"), STUDIES = read("study-data");
const PAIR = read("pair-data");
const bytesOf = (id) => Uint8Array.from(atob(document.getElementById(id).textContent.trim()), (c) => c.charCodeAt(0));
