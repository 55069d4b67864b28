// Pages that are opened from a disk may start no worker, and the search of the site is one. Here it
// runs in a hidden frame instead: the frame loads the worker's file, and messages pass between the two.
if (window.location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.waiting = [];
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.body.appendChild(this.frame);
      const inner = this.frame.contentWindow;
      inner.document.open();
      inner.document.write(`<script>
        window.importScripts = (...urls) => urls.reduce((before, each) => before.then(() =>
          new Promise((done, failed) => {
            const script = document.createElement("script");
            Object.assign(script, { src: each, onload: done, onerror: failed });
            document.body.appendChild(script);
          })), Promise.resolve());
      </script><body><script src="${url}"></script></body>`);
      inner.document.close();
      inner.postMessage = (data) =>
        this.dispatchEvent(new MessageEvent("message", { data: data }));
      inner.addEventListener("load", () => {
        this.started = true;
        this.waiting.forEach((data) => this.postMessage(data));
      });
    }
    postMessage(data) {
      if (!this.started) return this.waiting.push(data);
      this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data: data }));
    }
    terminate() {
      this.frame.remove();
    }
  };
}
