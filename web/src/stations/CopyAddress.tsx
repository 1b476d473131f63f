import { tell } from "../app/notices";
import { Icon } from "../frame/Icon";
import { shortTrouble } from "../frame/Trouble";
import { texts } from "../texts";

export function CopyAddress({ address }: { address: string }) {
  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(address);
      tell(texts.drawer.copied);
    } catch (error) {
      tell(shortTrouble(error), true);
    }
  }
  return (
    <span className="copy">
      <code dir="ltr">{address}</code>
      <button type="button" className="icon-button small" aria-label={texts.drawer.copy} onClick={() => void copy()}>
        <Icon name="copy" size={16} />
      </button>
    </span>
  );
}
