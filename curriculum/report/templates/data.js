// What the page is about, as JSON: nothing in it is markup or code.
const page = JSON.parse(document.getElementById("data").textContent);
