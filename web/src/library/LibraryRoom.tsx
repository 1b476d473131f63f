import { recordingsQuery } from "../api/queries";
import { useFilter } from "../catalogue/useCatalogue";
import { ListRoom } from "../frame/ListRoom";
import { useList } from "../frame/useList";
import { texts } from "../texts";
import { RecordingDrawer } from "./RecordingDrawer";
import { RecordingRow } from "./RecordingRow";

const t = texts.library;

/** The recordings that we know how to recognise. */
export function LibraryRoom() {
  const [filter] = useFilter();
  const list = useList("library", recordingsQuery(filter.q));
  const { rows, selected } = list;
  return (
    <>
      <ListRoom
        list={list}
        title={t.title}
        beside={rows.length > 0 && <p className="quiet figures">{t.shown(rows.length, list.hasMore)}</p>}
        empty={filter.q === "" ? t.empty : t.noMatch}
        emptyHint={filter.q === "" ? t.emptyHint : undefined}
        signIn={t.signIn}
        signInHint={t.signInHint}
        keyOf={(recording) => recording.id}
        heights={{ wide: 52, narrow: 64 }}
        head={<Head />}
        row={(recording) => (
          <RecordingRow recording={recording} selected={recording.id === selected} open={list.open} />
        )}
      />
      {typeof selected === "string" && (
        <RecordingDrawer id={selected} known={rows.find((recording) => recording.id === selected) ?? null} />
      )}
    </>
  );
}

function Head() {
  return (
    <div className="row rows-head recording-row" aria-hidden="true">
      <span className="row-name">{t.song}</span>
      <span className="cell cell-album">{t.album}</span>
      <span className="cell cell-class">{t.class}</span>
      <span className="cell cell-length">{t.length}</span>
      <span className="cell cell-plays">{t.plays}</span>
    </div>
  );
}
