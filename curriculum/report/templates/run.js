startPoints();
startExamples();
drawAll().then(() => { document.documentElement.dataset.drawn = "yes"; });
dark.addEventListener("change", drawAll);
