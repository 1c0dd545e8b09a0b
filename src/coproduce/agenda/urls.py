from django.urls import path

from coproduce.agenda import ask_pages, bigger_voice_pages, topic_pages

app_name = "agenda"
urlpatterns = [
    path("topics/", topic_pages.topics, name="topics"),
    path("topics/raise/", topic_pages.raise_topic, name="raise"),
    path("key-messages/<int:pk>/topic/", topic_pages.raise_from, name="raise_from"),
    path("topics/<int:pk>/", topic_pages.topic, name="topic"),
    path("topics/<int:pk>/decide/", topic_pages.decide, name="decide"),
    path("topics/<int:pk>/tie/", topic_pages.tie, name="tie"),
    path("topics/<int:pk>/untie/", topic_pages.untie, name="untie"),
    path("topics/<int:pk>/support/", topic_pages.support, name="support"),
    path("topics/<int:pk>/support/for/", topic_pages.support_for, name="support_for"),
    path("hubs/<int:pk>/topics/order/", topic_pages.order, name="order"),
    path("ask-the-group/", ask_pages.ask_us, name="ask_us"),
    path("ask-the-group/sent/", ask_pages.asked, name="asked"),
    path("your-ask/<str:token>/", ask_pages.your_ask, name="your_ask"),
    path("asks/", ask_pages.asks, name="asks"),
    path("asks/<int:pk>/", ask_pages.ask, name="ask"),
    path("asks/<int:pk>/answer/", ask_pages.answer, name="answer"),
    path("asks/<int:pk>/send-again/", ask_pages.send_again, name="send_again"),
    path("bigger-voices/", bigger_voice_pages.bigger_voices, name="bigger_voices"),
    path("bigger-voices/<int:pk>/", bigger_voice_pages.bigger_voice, name="bigger_voice"),
    path("bigger-voices/<int:pk>/take-up/", bigger_voice_pages.take_up, name="take_up"),
    path("bigger-voices/<int:pk>/refuse/", bigger_voice_pages.refuse, name="refuse"),
]
