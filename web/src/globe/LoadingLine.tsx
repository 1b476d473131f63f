import { shortTrouble } from "../frame/Trouble";
import { texts } from "../texts";
import { points, usePoints } from "./points";

/** That the points are being read for the first time, or why they could not be. */
export function LoadingLine() {
  const { loading, version } = usePoints();
  if (loading.status === "failed" && loading.problem !== null) {
    return (
      <div className="loading-line" role="alert">
        <span>{shortTrouble(loading.problem)}</span>
        <button type="button" className="link" onClick={() => points.refresh()}>
          {texts.trouble.retry}
        </button>
      </div>
    );
  }
  // Reading again happens in the background: what is on the globe stays until then.
  if (loading.status !== "loading" || version > 0) return null;
  return (
    <div className="loading-line" role="status">
      <progress aria-label={texts.stations.loading} />
      <span>{texts.stations.loading}</span>
    </div>
  );
}
