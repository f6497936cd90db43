// What scrolls sideways must be within reach of the keyboard.
addEventListener("load", () => {
    for (const box of document.querySelectorAll("article pre, article .table-wrapper, article .output_html")) {
        box.tabIndex = 0;
    }
});
