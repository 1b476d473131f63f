import { dismiss, useNotices } from "../app/notices";
import { texts } from "../texts";
import { Icon } from "./Icon";

export function Notices() {
  const notices = useNotices();
  return (
    <div className="notices" role="status" aria-live="polite">
      {notices.map((notice) => (
        <div key={notice.id} className="notice" data-bad={notice.bad || undefined}>
          <span>{notice.text}</span>
          <button
            type="button"
            className="icon-button small"
            aria-label={texts.help.close}
            onClick={() => dismiss(notice.id)}
          >
            <Icon name="close" size={16} />
          </button>
        </div>
      ))}
    </div>
  );
}
