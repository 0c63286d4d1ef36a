// Shortcodes that Slack people use most. An unknown one stays as written.
const TABLE = `
smile 😄|smiley 😃|grinning 😀|grin 😁|laughing 😆|satisfied 😆|sweat_smile 😅|joy 😂|rofl 🤣|slightly_smiling_face 🙂|simple_smile 🙂|upside_down_face 🙃|wink 😉|blush 😊|innocent 😇|heart_eyes 😍|star-struck 🤩|kissing_heart 😘|relaxed ☺️|yum 😋|stuck_out_tongue 😛|hugging_face 🤗|thinking_face 🤔|neutral_face 😐|expressionless 😑|no_mouth 😶|smirk 😏|unamused 😒|face_with_rolling_eyes 🙄|grimacing 😬|relieved 😌|pensive 😔|sleepy 😪|sleeping 😴|mask 😷|sunglasses 😎|confused 😕|worried 😟|slightly_frowning_face 🙁|open_mouth 😮|astonished 😲|flushed 😳|pleading_face 🥺|cry 😢|sob 😭|scream 😱|disappointed 😞|sweat 😓|tired_face 😫|triumph 😤|rage 😡|angry 😠|partying_face 🥳|exploding_head 🤯|saluting_face 🫡|robot_face 🤖|ghost 👻|skull 💀
wave 👋|raised_hand ✋|ok_hand 👌|v ✌️|crossed_fingers 🤞|point_left 👈|point_right 👉|point_up_2 👆|point_down 👇|point_up ☝️|+1 👍|thumbsup 👍|-1 👎|thumbsdown 👎|fist ✊|clap 👏|raised_hands 🙌|open_hands 👐|handshake 🤝|pray 🙏|writing_hand ✍️|muscle 💪|eyes 👀|speech_balloon 💬|thought_balloon 💭|busts_in_silhouette 👥|bust_in_silhouette 👤|technologist 🧑‍💻|shrug 🤷|man-shrugging 🤷‍♂️|woman-shrugging 🤷‍♀️|facepalm 🤦
heart ❤️|orange_heart 🧡|yellow_heart 💛|green_heart 💚|blue_heart 💙|purple_heart 💜|black_heart 🖤|white_heart 🤍|broken_heart 💔|sparkling_heart 💖|100 💯|boom 💥|dizzy 💫|sparkles ✨|star ⭐|star2 🌟|fire 🔥|tada 🎉|confetti_ball 🎊|balloon 🎈|gift 🎁|trophy 🏆|medal 🏅|rocket 🚀|airplane ✈️|car 🚗|house 🏠|office 🏢|bank 🏦
white_check_mark ✅|heavy_check_mark ✔️|ballot_box_with_check ☑️|x ❌|negative_squared_cross_mark ❎|heavy_multiplication_x ✖️|heavy_plus_sign ➕|heavy_minus_sign ➖|question ❓|grey_question ❔|exclamation ❗|heavy_exclamation_mark ❗|bangbang ‼️|warning ⚠️|no_entry ⛔|no_entry_sign 🚫|octagonal_sign 🛑|information_source ℹ️|recycle ♻️|arrow_right ➡️|arrow_left ⬅️|arrow_up ⬆️|arrow_down ⬇️|arrows_counterclockwise 🔄|leftwards_arrow_with_hook ↩️|new 🆕|ok 🆗|sos 🆘|red_circle 🔴|large_orange_circle 🟠|large_yellow_circle 🟡|large_green_circle 🟢|large_blue_circle 🔵|white_circle ⚪|black_circle ⚫|large_red_square 🟥|large_green_square 🟩|small_blue_diamond 🔹|small_orange_diamond 🔸
credit_card 💳|moneybag 💰|money_with_wings 💸|dollar 💵|euro 💶|pound 💷|receipt 🧾|chart_with_upwards_trend 📈|chart_with_downwards_trend 📉|bar_chart 📊|shopping_trolley 🛒|package 📦|label 🏷️|lock 🔒|unlock 🔓|key 🔑|shield 🛡️|bell 🔔|no_bell 🔕|mag 🔍|bulb 💡|wrench 🔧|hammer 🔨|gear ⚙️|link 🔗|paperclip 📎|pushpin 📌|round_pushpin 📍|memo 📝|pencil ✏️|pencil2 ✏️|clipboard 📋|page_facing_up 📄|page_with_curl 📃|book 📖|books 📚|bookmark 🔖|newspaper 📰|calendar 📅|date 📅|spiral_calendar_pad 🗓️|clock1 🕐|clock3 🕒|hourglass ⌛|hourglass_flowing_sand ⏳|stopwatch ⏱️|alarm_clock ⏰|watch ⌚|email 📧|envelope ✉️|inbox_tray 📥|outbox_tray 📤|incoming_envelope 📨|telephone_receiver 📞|phone ☎️|iphone 📱|computer 💻|keyboard ⌨️|printer 🖨️|camera 📷|headphones 🎧|mega 📣|loudspeaker 📢|file_folder 📁|open_file_folder 📂|wastebasket 🗑️|card_index 📇|ticket 🎫|rotating_light 🚨|bug 🐛
coffee ☕|tea 🍵|beer 🍺|beers 🍻|pizza 🍕|cake 🍰|birthday 🎂|apple 🍎|sunny ☀️|cloud ☁️|rainbow 🌈|snowflake ❄️|umbrella ☔|zap ⚡|earth_africa 🌍|earth_americas 🌎|globe_with_meridians 🌐|seedling 🌱|evergreen_tree 🌲|cherry_blossom 🌸|sunflower 🌻|dog 🐶|cat 🐱|unicorn_face 🦄|turtle 🐢|owl 🦉
one 1️⃣|two 2️⃣|three 3️⃣|four 4️⃣|five 5️⃣|six 6️⃣|seven 7️⃣|eight 8️⃣|nine 9️⃣|keycap_ten 🔟|flag-us 🇺🇸|flag-gb 🇬🇧|flag-de 🇩🇪|flag-fr 🇫🇷|flag-es 🇪🇸|flag-br 🇧🇷|flag-eu 🇪🇺|checkered_flag 🏁`;

const CODES = new Map(TABLE.trim().split(/[|\n]/).map((pair) => {
  const cut = pair.indexOf(" ");
  return [pair.slice(0, cut), pair.slice(cut + 1)];
}));

export const QUICK = ["+1", "white_check_mark", "eyes", "raised_hands", "heart", "tada", "joy", "pray", "thinking_face", "cry", "rocket", "100", "wave", "clap", "fire", "warning", "x", "question", "hourglass_flowing_sand", "credit_card", "receipt", "bulb", "coffee", "ok_hand"];

/** The character of a shortcode ("tada", "+1", "wave::skin-tone-3"), or null. */
export const emojiFor = (name) => CODES.get(name.split("::")[0]) ?? null;

/** Up to `limit` [name, character] whose name begins with, then contains, `start`. */
export function emojiMatches(start, limit = 8) {
  const needle = start.toLowerCase();
  const names = [...CODES.keys()];
  const first = names.filter((name) => name.startsWith(needle));
  const rest = names.filter((name) => !name.startsWith(needle) && name.includes(needle));
  return [...first, ...rest].slice(0, limit).map((name) => [name, CODES.get(name)]);
}
