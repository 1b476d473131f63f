import { setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import "maplibre-gl/dist/maplibre-gl.css";

// The worker is a file of its own under our origin; without it MapLibre stays blank.
setWorkerUrl(workerUrl);
