import { texts } from "../texts";
import { Modal } from "./Modal";

export function Help({ close }: { close: () => void }) {
  return (
    <Modal title={texts.help.title} close={close}>
      <dl className="keys">
        {texts.help.keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p className="quiet help-foot">
        <a href="/docs">{texts.help.api}</a> · <a href="/takedown">{texts.help.takedown}</a> · {texts.help.credits}
      </p>
    </Modal>
  );
}
