// What is wider than its box, of all that must never scroll sideways.
() => [document.scrollingElement, ...document.querySelectorAll(".scroller, .dialog-body, .rail, .main, .thread")]
  .filter((node) => node.getClientRects().length && node.scrollWidth > node.clientWidth + 1)
  .map((node) => `${node.className}: ${node.scrollWidth} > ${node.clientWidth}`)
