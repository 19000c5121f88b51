// The Neuroglancer client of the Python package listens to a Python program that steers it. Here nobody does: what is
// shown is all in the address. Without an address it would wait for that program for ever.

window.EventSource = class {
  constructor() {
    setTimeout(() => this.onopen?.());
  }

  close() {}
};

if (!location.hash) {
  location.hash = "#!{}";
}
