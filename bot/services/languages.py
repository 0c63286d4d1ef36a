"""One kind line for people who write in another language than English, in that language.

The button under it reads “Talk to a specialist”, so each line names it in English. Keys are ISO 639-1.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

_BUTTON = "“Talk to a specialist”"

ENGLISH_ONLY: Final = MappingProxyType({
    "ar": f"شكرًا على رسالتك. أفهم الإنجليزية فقط في الوقت الحالي. اكتب بالإنجليزية من فضلك، أو اختر {_BUTTON} ليتولى شخص الأمر.",
    "bg": f"Благодаря за съобщението. Засега разбирам само английски. Моля, пишете на английски или изберете {_BUTTON}, и ще Ви отговори човек.",
    "cs": f"Děkuji za zprávu. Zatím rozumím jen anglicky. Napište prosím anglicky, nebo zvolte {_BUTTON} a odpoví Vám člověk.",
    "da": f"Tak for din besked. Jeg forstår indtil videre kun engelsk. Skriv gerne på engelsk, eller vælg {_BUTTON}, så svarer et menneske.",
    "de": f"Danke für Ihre Nachricht. Ich verstehe bisher nur Englisch. Bitte schreiben Sie auf Englisch, oder wählen Sie {_BUTTON}; dann antwortet Ihnen ein Mensch.",
    "el": f"Ευχαριστώ για το μήνυμά σας. Προς το παρόν καταλαβαίνω μόνο αγγλικά. Γράψτε στα αγγλικά ή επιλέξτε {_BUTTON} για να σας απαντήσει άνθρωπος.",
    "es": f"Gracias por su mensaje. Por ahora solo entiendo inglés. Escriba en inglés, por favor, o elija {_BUTTON} y le responderá una persona.",
    "fi": f"Kiitos viestistäsi. Ymmärrän toistaiseksi vain englantia. Kirjoita englanniksi tai valitse {_BUTTON}, niin ihminen vastaa sinulle.",
    "fr": f"Merci pour votre message. Pour l'instant, je ne comprends que l'anglais. Écrivez en anglais, s'il vous plaît, ou choisissez {_BUTTON} : une personne vous répondra.",
    "he": f"תודה על הודעתך. כרגע אני מבין רק אנגלית. אפשר לכתוב באנגלית, או לבחור {_BUTTON} ואדם ישיב לך.",
    "hi": f"आपके संदेश के लिए धन्यवाद। अभी मैं केवल अंग्रेज़ी समझता हूँ। कृपया अंग्रेज़ी में लिखें, या {_BUTTON} चुनें, तब एक व्यक्ति उत्तर देगा।",
    "hu": f"Köszönöm az üzenetét. Egyelőre csak angolul értek. Kérem, írjon angolul, vagy válassza ezt: {_BUTTON}, és egy ember válaszol.",
    "id": f"Terima kasih atas pesan Anda. Saat ini saya hanya mengerti bahasa Inggris. Silakan menulis dalam bahasa Inggris, atau pilih {_BUTTON} agar dijawab oleh orang.",
    "it": f"Grazie per il messaggio. Per ora capisco solo l'inglese. Scriva in inglese, per favore, oppure scelga {_BUTTON} e le risponderà una persona.",
    "ja": f"メッセージをありがとうございます。今のところ英語しか理解できません。英語でお書きいただくか、{_BUTTON} を選ぶと担当者がお答えします。",
    "ko": f"메시지 감사합니다. 지금은 영어만 이해할 수 있습니다. 영어로 써 주시거나 {_BUTTON} 버튼을 누르시면 담당자가 답변드립니다.",
    "nl": f"Bedankt voor uw bericht. Voorlopig begrijp ik alleen Engels. Schrijf in het Engels, of kies {_BUTTON}; dan antwoordt een mens.",
    "no": f"Takk for meldingen. Jeg forstår foreløpig bare engelsk. Skriv gjerne på engelsk, eller velg {_BUTTON}, så svarer et menneske.",
    "pl": f"Dziękuję za wiadomość. Na razie rozumiem tylko angielski. Proszę napisać po angielsku lub wybrać {_BUTTON}, a odpowie człowiek.",
    "pt": f"Obrigado pela sua mensagem. Por enquanto só entendo inglês. Escreva em inglês, por favor, ou escolha {_BUTTON} e uma pessoa responderá.",
    "ro": f"Vă mulțumesc pentru mesaj. Deocamdată înțeleg numai engleza. Vă rog să scrieți în engleză sau să alegeți {_BUTTON} și vă va răspunde o persoană.",
    "ru": f"Спасибо за сообщение. Пока я понимаю только английский. Напишите, пожалуйста, по-английски или выберите {_BUTTON}, и Вам ответит человек.",
    "sv": f"Tack för ditt meddelande. Jag förstår än så länge bara engelska. Skriv gärna på engelska, eller välj {_BUTTON} så svarar en människa.",
    "th": f"ขอบคุณสำหรับข้อความ ตอนนี้ระบบเข้าใจเฉพาะภาษาอังกฤษ โปรดเขียนเป็นภาษาอังกฤษ หรือเลือก {_BUTTON} เพื่อให้เจ้าหน้าที่ตอบ",
    "tr": f"Mesajınız için teşekkürler. Şimdilik yalnızca İngilizce anlıyorum. Lütfen İngilizce yazın ya da {_BUTTON} seçeneğini seçin, size bir kişi yanıt versin.",
    "uk": f"Дякую за повідомлення. Поки що я розумію лише англійську. Напишіть, будь ласка, англійською або виберіть {_BUTTON}, і Вам відповість людина.",
    "vi": f"Cảm ơn tin nhắn của bạn. Hiện tôi chỉ hiểu tiếng Anh. Vui lòng viết bằng tiếng Anh, hoặc chọn {_BUTTON} để được người trả lời.",
    "zh": f"感谢您的留言。目前我只懂英语。请用英语书写，或选择 {_BUTTON}，会有专人为您解答。",
})  # fmt: skip
